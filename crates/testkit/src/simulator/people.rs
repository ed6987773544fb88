//! Contacts and their messages.

use super::{
    chance::Chance,
    traffic::{Event, Item},
};
use domain::Timestamp;

/// A contact with a phone.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Phone number, digits only.
    pub phone: String,
    /// Activation code of the sandbox session.
    pub code: String,
    /// Texts from the business, in order of arrival.
    pub received: Vec<String>,
    /// Number of messages that the contact will send.
    pub message_count: usize,
}

/// Wamid of the message with a contact's code.
pub(super) fn code_wamid(person: usize) -> String {
    format!("wamid.code.{person}")
}

/// Text of a message.
pub(super) fn text(person: usize, number: usize) -> String {
    format!("p{person} m{number} says hi")
}

/// All messages of a contact, in bursts, from `began` on.
pub(super) fn messages(person: usize, message_count: usize, began: Timestamp, chance: &mut Chance) -> Vec<Item> {
    let mut at = began + chance.millis(100, 20_000);
    let mut items = Vec::new();
    for number in 0..message_count {
        let wamid = format!("wamid.{person}.{number}");
        let text = text(person, number);
        items.push(Item { due: at, occurred: at, event: Event::Message { person, wamid, text } });
        // The messages of a burst are a second or two apart. A longer pause follows.
        at = at
            + match chance.below(10) {
                0..6 => chance.millis(10, 2_500),
                6..9 => chance.millis(3_000, 45_000),
                _ => chance.millis(60_000, 300_000),
            };
    }
    items
}
