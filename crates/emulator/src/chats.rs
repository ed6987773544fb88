//! Chats as the phones show them: one per business number and contact, in order.
//!
//! `in` is a message from the contact to the business, `out` one from the business to the contact.
//! A message appears when it is accepted; its statuses show how far it got.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    clock::Millis,
    messages::{Direction, Message},
};

/// Duration of a typing indicator that no message ends.
pub(crate) const TYPING_DURATION: Millis = 25_000;
/// Service window: free-form messages are allowed this long after a contact's message.
const WINDOW: Millis = 24 * 3600 * 1000;

#[derive(Default)]
struct Chat {
    messages: Vec<String>,
    last_inbound: Option<Millis>,
    typing_until: Millis,
}

#[derive(Default)]
pub(crate) struct Chats {
    chats: BTreeMap<(String, String), Chat>,
    messages: HashMap<String, Message>,
}

impl Chats {
    fn chat(&mut self, number: &str, user: &str) -> &mut Chat {
        self.chats.entry((number.to_owned(), user.to_owned())).or_default()
    }

    pub(crate) fn add(&mut self, message: Message) {
        let chat = self.chat(&message.number, &message.user);
        chat.messages.push(message.id.clone());
        match message.direction {
            Direction::In => chat.last_inbound = chat.last_inbound.max(Some(message.at)),
            Direction::Out => chat.typing_until = 0,
        }
        self.messages.insert(message.id.clone(), message);
    }

    /// Stores a message that is not listed in the chat: a reaction of the business.
    pub(crate) fn add_unlisted(&mut self, message: Message) {
        self.messages.insert(message.id.clone(), message);
    }

    /// Opens the service window without a listed message: for reactions.
    pub(crate) fn touch(&mut self, number: &str, user: &str, at: Millis) {
        let chat = self.chat(number, user);
        chat.last_inbound = chat.last_inbound.max(Some(at));
    }

    pub(crate) fn message(&self, id: &str) -> Option<&Message> {
        self.messages.get(id)
    }

    pub(crate) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.get_mut(id)
    }

    /// Messages of one chat, oldest first.
    pub(crate) fn between<'a>(&'a self, number: &str, user: &str) -> impl DoubleEndedIterator<Item = &'a Message> {
        let chat = self.chats.get(&(number.to_owned(), user.to_owned()));
        let ids = chat.map_or(&[][..], |chat| chat.messages.as_slice());
        ids.iter().filter_map(|id| self.messages.get(id))
    }

    /// Ids of this message and the earlier ones of its chat with the same direction.
    pub(crate) fn up_to(&self, id: &str) -> Vec<String> {
        let Some(last) = self.messages.get(id) else {
            return Vec::new();
        };
        let mut ids = Vec::new();
        for message in self.between(&last.number, &last.user) {
            if message.direction == last.direction {
                ids.push(message.id.clone());
            }
            if message.id == id {
                break;
            }
        }
        ids
    }

    /// Numbers that a contact has a chat with.
    pub(crate) fn numbers_of(&self, user: &str) -> Vec<String> {
        self.chats.keys().filter(|(_, key)| key == user).map(|(number, _)| number.clone()).collect()
    }

    /// Ids of the messages that wait for this contact's phone to come online.
    pub(crate) fn waiting_for(&self, user: &str) -> Vec<String> {
        let chats = self.chats.iter().filter(|((_, key), _)| key == user);
        let ids = chats.flat_map(|(_, chat)| &chat.messages);
        let waits = |id: &&String| self.messages.get(*id).is_some_and(|m| m.waits_for_phone);
        ids.filter(waits).cloned().collect()
    }

    pub(crate) fn window_is_open(&self, number: &str, user: &str, now: Millis) -> bool {
        self.window_ends(number, user).is_some_and(|end| now < end)
    }

    fn window_ends(&self, number: &str, user: &str) -> Option<Millis> {
        let chat = self.chats.get(&(number.to_owned(), user.to_owned()))?;
        Some(chat.last_inbound? + WINDOW)
    }

    pub(crate) fn set_typing(&mut self, number: &str, user: &str, until: Millis) {
        self.chat(number, user).typing_until = until;
    }

    pub(crate) fn typing_until(&self, number: &str, user: &str) -> Millis {
        let chat = self.chats.get(&(number.to_owned(), user.to_owned()));
        chat.map_or(0, |chat| chat.typing_until)
    }

    pub(crate) fn to_json(&self, number: &str, user: &str, now: Millis) -> Value {
        let messages: Vec<Value> = self.between(number, user).map(Message::to_json).collect();
        let window = self.window_ends(number, user).map(|end| (end / 1000).to_string());
        json!({
            "phone_number_id": number,
            "user": user,
            "messages": messages,
            "typing": now < self.typing_until(number, user),
            "window_expires_at": window,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.messages.len()
    }
}
