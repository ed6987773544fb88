//! Contacts with phones: their identity, the state of their phone, and look-ups.
//!
//! A contact has a key (`ana`) for the control API and, as on WhatsApp, a phone number, a
//! business-scoped id, or both. The business sees only the latter of contacts who hide their
//! number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Ids;

/// One contact with a phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Name in the control API.
    pub key: String,
    /// Phone number in WhatsApp's form, digits only.
    pub wa_id: Option<String>,
    /// Business-scoped user id (BSUID).
    pub user_id: Option<String>,

    pub name: String,

    pub username: Option<String>,
    /// Hides the phone number from the business.
    pub hide_phone: bool,
    /// Has a WhatsApp account. Without one a send fails later with 131026.
    pub on_whatsapp: bool,
    /// Phone has a network connection; `delivered` waits for it.
    pub online: bool,
    /// Blocks the business: no status after `sent` is reported.
    pub blocked: bool,
    /// Delay after which each delivered message is read; `None` for never.
    pub auto_read_ms: Option<u64>,
    /// Consent to marketing. Without it a marketing template fails with 131050.
    pub marketing: Marketing,
    /// Other dialled forms of this contact's number.
    pub dial_aliases: Vec<String>,
}

/// Consent to marketing messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marketing {
    /// Accepts them.
    In,
    /// Opted out.
    Out,
}

impl User {
    /// Creates an online contact without number, id or automatic reading.
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

    /// Phone number, unless it is hidden from the business.
    pub(crate) fn shown_wa_id(&self) -> Option<&str> {
        self.wa_id.as_deref().filter(|_| !self.hide_phone)
    }

    /// Matches key, phone number, dialled alias or scoped id.
    fn matches(&self, name: &str) -> bool {
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

    /// Finds by key, phone number (also `+…`), dialled alias or business-scoped id.
    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        let exact = self.by_key.get(name);
        exact.or_else(|| self.by_key.values().find(|user| user.matches(name)))
    }

    /// Finds another contact with the same number or id.
    pub(crate) fn conflicting(&self, user: &User) -> Option<&User> {
        self.by_key.values().find(|other| {
            let same_number = user.wa_id.is_some() && other.wa_id == user.wa_id;
            let same_id = user.user_id.is_some() && other.user_id == user.user_id;
            other.key != user.key && (same_number || same_id)
        })
    }

    /// Finds or creates the recipient of a business message. An unknown recipient has no account;
    /// the business sees this only in a later status.
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

    /// Finds or creates the sender of an inbound message. An unknown number becomes a new contact.
    /// `None` if the name is neither known nor a number.
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

/// Digits of a dialled number: 7–15 of them, the first not zero, without `+`, `00`, spaces and
/// punctuation. `None` if it is not a phone number.
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
