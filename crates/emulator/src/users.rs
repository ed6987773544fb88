//! The people: who they are, what their phone is doing, and how they are looked up.
//!
//! A person has a key (`ana`) for the control API and, like on WhatsApp, a phone number, a
//! business-scoped id, or both. Someone who hides the number shows the business only the latter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// One person with a phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The name the control API uses.
    pub key: String,
    /// Phone number in WhatsApp's form, digits only.
    pub wa_id: Option<String>,
    /// Business-scoped user id.
    pub user_id: Option<String>,
    /// Profile name.
    pub name: String,
    /// Public user name.
    pub username: Option<String>,
    /// The business does not see the phone number.
    pub hide_phone: bool,
    /// Has an account; without one a send fails later with 131026.
    pub on_whatsapp: bool,
    /// Reaches the network; `delivered` waits until it does.
    pub online: bool,
    /// Has blocked the business; nothing after `sent` is reported.
    pub blocked: bool,
    /// Reads each message this long after it arrived; `None` reads nothing by itself.
    pub auto_read_ms: Option<u64>,
    /// Wants marketing messages: without it a marketing template fails with 131050.
    pub marketing: Marketing,
    /// Other numbers that reach this person when dialled.
    pub dial_aliases: Vec<String>,
}

/// Whether a person accepts marketing messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marketing {
    /// Accepts them.
    In,
    /// Opted out.
    Out,
}

impl User {
    /// A person who is online and reads nothing by themselves, without number or id yet.
    pub fn new(key: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            wa_id: None,
            user_id: None,
            name: name.into(),
            username: None,
            hide_phone: false,
            on_whatsapp: true,
            online: true,
            blocked: false,
            auto_read_ms: None,
            marketing: Marketing::In,
            dial_aliases: Vec::new(),
        }
    }

    /// The phone number as the business sees it.
    pub(crate) fn shown_wa_id(&self) -> Option<&str> {
        self.wa_id.as_deref().filter(|_| !self.hide_phone)
    }

    /// Every spelling that means this person.
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.key == name
            || self.user_id.as_deref() == Some(name)
            || digits(name).is_some_and(|number| self.is_dialled_by(&number))
    }

    fn is_dialled_by(&self, number: &str) -> bool {
        self.wa_id.as_deref() == Some(number) || self.dial_aliases.iter().any(|a| a == number)
    }
}

#[derive(Default)]
pub(crate) struct Users {
    by_key: BTreeMap<String, User>,
}

impl Users {
    pub(crate) fn new(users: &[User]) -> Self {
        let by_key = users.iter().map(|user| (user.key.clone(), user.clone())).collect();
        Self { by_key }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.by_key.values()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&User> {
        self.by_key.get(key)
    }

    pub(crate) fn put(&mut self, user: User) {
        self.by_key.insert(user.key.clone(), user);
    }

    /// By key, phone number (also `+…`), dialled alias or business-scoped id.
    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        let exact = self.by_key.get(name);
        exact.or_else(|| self.by_key.values().find(|user| user.answers_to(name)))
    }

    /// Who else already has this number or id.
    pub(crate) fn clash(&self, user: &User) -> Option<&User> {
        self.by_key.values().find(|other| {
            let same_number = user.wa_id.is_some() && other.wa_id == user.wa_id;
            let same_id = user.user_id.is_some() && other.user_id == user.user_id;
            other.key != user.key && (same_number || same_id)
        })
    }

    /// The person a business message goes to; an unknown recipient has no account, which the
    /// business learns only from a later status.
    pub(crate) fn recipient(&mut self, name: &str) -> User {
        if let Some(user) = self.find(name) {
            return user.clone();
        }
        let mut stranger = User::new(name, name);
        stranger.on_whatsapp = false;
        match digits(name) {
            Some(number) => stranger.wa_id = Some(number),
            None => stranger.user_id = Some(name.to_owned()),
        }
        self.put(stranger.clone());
        stranger
    }

    /// The person who writes to the business. An unknown number becomes a new person; `None`
    /// when the name is neither known nor a number.
    pub(crate) fn sender(&mut self, name: &str, ids: &mut Ids) -> Option<User> {
        let mut user = match self.find(name) {
            Some(user) => user.clone(),
            None => {
                let number = digits(name)?;
                let mut user = User::new(number.clone(), format!("+{number}"));
                user.wa_id = Some(number);
                user
            }
        };
        user.on_whatsapp = true;
        if user.user_id.is_none() {
            let country = country(user.wa_id.as_deref().unwrap_or_default());
            user.user_id = Some(format!("{country}.{}", ids.digits("user_id")));
        }
        self.put(user.clone());
        Some(user)
    }
}

/// The digits of a dialled number: 7–15 of them, the first not zero, without `+`, `00`, spaces
/// and punctuation. `None` when it is not a phone number.
pub(crate) fn digits(dialled: &str) -> Option<String> {
    let mut digits = String::with_capacity(dialled.len());
    for (position, letter) in dialled.trim().chars().enumerate() {
        match letter {
            '0'..='9' => digits.push(letter),
            '+' if position == 0 => {}
            ' ' | '-' | '(' | ')' | '.' => {}
            _ => return None,
        }
    }
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let plausible = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    plausible.then(|| digits.to_owned())
}

fn country(wa_id: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 5] = [("55", "BR"), ("54", "AR"), ("52", "MX"), ("44", "GB"), ("1", "US")];
    let found = PREFIXES.iter().find(|(prefix, _)| wa_id.starts_with(prefix));
    found.map_or("ZZ", |(_, country)| country)
}
