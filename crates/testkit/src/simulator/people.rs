//! Who writes what and when.

use super::{
    chance::Chance,
    traffic::{Item, Told},
};
use domain::Timestamp;

/// A person with a phone.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Digits.
    pub phone: String,
    /// Of the sandbox session that waits for them.
    pub code: String,
    /// What the phone shows that the business sent: in order of arrival.
    pub heard: Vec<String>,
    /// The number of messages that they will write.
    pub plan: usize,
}

/// The wamid of a person's code.
pub(super) fn code_wamid(person: usize) -> String {
    format!("wamid.code.{person}")
}

/// What a message says.
pub(super) fn text(person: usize, number: usize) -> String {
    format!("p{person} m{number} says hi")
}

/// Everything that a person will say, in bursts, from `began` on.
pub(super) fn messages(person: usize, plan: usize, began: Timestamp, chance: &mut Chance) -> Vec<Item> {
    let mut at = began + chance.millis(100, 20_000);
    let mut items = Vec::new();
    for number in 0..plan {
        let wamid = format!("wamid.{person}.{number}");
        let text = text(person, number);
        items.push(Item { due: at, written: at, told: Told::Message { person, wamid, text } });
        // Most of a burst comes within a second or two, then there is a pause for an answer or for
        // much more.
        at = at
            + match chance.below(10) {
                0..6 => chance.millis(10, 2_500),
                6..9 => chance.millis(3_000, 45_000),
                _ => chance.millis(60_000, 300_000),
            };
    }
    items
}
