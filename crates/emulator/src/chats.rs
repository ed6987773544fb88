//! What each phone shows: one conversation per business number and person, in order.
//!
//! `in` is a message from the person to the business, `out` one from the business to the person.
//! A message appears here the moment it is accepted; its statuses say how far it got.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{clock::Millis, ids::Direction, statuses::StatusKind};

/// How long a typing indicator lasts unless a message ends it.
pub(crate) const TYPING_LASTS: Millis = 25_000;
/// How long a person's message keeps the conversation open for free-form answers.
const WINDOW: Millis = 24 * 3600 * 1000;

#[derive(Debug, Clone)]
pub(crate) struct StatusEntry {
    pub(crate) status: StatusKind,
    pub(crate) at: Millis,
    pub(crate) error: Option<Value>,
}

impl StatusEntry {
    pub(crate) fn to_json(&self) -> Value {
        let mut entry = json!({"status": self.status, "at": (self.at / 1000).to_string()});
        if let Some(error) = &self.error {
            entry["error"] = error.clone();
        }
        entry
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) user: String,
    pub(crate) direction: Direction,
    pub(crate) kind: String,
    pub(crate) content: Value,
    /// A template's category, which its statuses name.
    pub(crate) category: Option<String>,
    pub(crate) at: Millis,
    pub(crate) reply_to: Option<String>,
    pub(crate) reactions: Vec<Value>,
    pub(crate) statuses: Vec<StatusEntry>,
    /// `biz_opaque_callback_data`, given back in every status.
    pub(crate) opaque: Option<String>,
    /// Will be reported as failed with this code instead of `sent`.
    pub(crate) fails_with: Option<u32>,
    /// A fault turned the order of its status webhooks around; these wait for `delivered`.
    pub(crate) reversed: bool,
    pub(crate) held: Vec<(StatusKind, Value)>,
    /// `delivered` waits until the phone is online.
    pub(crate) waits_for_phone: bool,
}

impl Message {
    pub(crate) fn has(&self, status: StatusKind) -> bool {
        self.statuses.iter().any(|entry| entry.status == status)
    }

    /// One reaction per person; an empty one takes it back.
    pub(crate) fn react(&mut self, user: &str, emoji: &str) {
        self.reactions.retain(|reaction| reaction["from"] != user);
        if !emoji.is_empty() {
            self.reactions.push(json!({"from": user, "emoji": emoji}));
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let statuses: Vec<Value> = self.statuses.iter().map(StatusEntry::to_json).collect();
        json!({
            "id": self.id,
            "direction": self.direction,
            "type": self.kind,
            "content": self.content,
            "timestamp": (self.at / 1000).to_string(),
            "reply_to": self.reply_to,
            "reactions": self.reactions,
            "statuses": statuses,
        })
    }
}

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

    /// Keep a message that is not shown as one: a reaction of the business.
    pub(crate) fn add_unlisted(&mut self, message: Message) {
        self.messages.insert(message.id.clone(), message);
    }

    /// A tap or reaction opens the window as a message does.
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

    /// The messages of one conversation, oldest first.
    pub(crate) fn between<'a>(&'a self, number: &str, user: &str) -> impl DoubleEndedIterator<Item = &'a Message> {
        let chat = self.chats.get(&(number.to_owned(), user.to_owned()));
        let ids = chat.map_or(&[][..], |chat| chat.messages.as_slice());
        ids.iter().filter_map(|id| self.messages.get(id))
    }

    /// This message and the ones before it in its conversation that travel the same way.
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

    /// Messages to this person that wait for the phone to come online.
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

    /// The conversation as the phone shows it.
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
