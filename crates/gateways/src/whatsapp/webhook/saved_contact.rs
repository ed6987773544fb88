//! Reads contacts of the WhatsApp Business app's address book (developers.facebook.com, WhatsApp
//! Business Platform, webhooks reference, "smb_app_state_sync").

use super::{SavedContact, json};
use serde_json::Value;

/// An element of `state_sync`.
pub(super) enum Entry {
    Saved(SavedContact),
    /// Removed from the address book, or of a type that this version does not know.
    Ignored,
    Malformed,
}

pub(super) fn read(phone_number_id: &str, raw: &Value) -> Entry {
    let word = |key: &str| raw.get(key).and_then(Value::as_str);
    match (word("type"), word("action")) {
        (Some("contact"), Some("add")) => {}
        (Some(_), Some(_)) => return Entry::Ignored,
        _ => return Entry::Malformed,
    }
    let text = |key: &str| json::text(raw.pointer(&format!("/contact/{key}"))).filter(|text| !text.trim().is_empty());
    let number = json::id(raw.pointer("/contact/phone_number"));
    match (number, text("full_name").or_else(|| text("first_name"))) {
        (Some(number), Some(name)) => {
            Entry::Saved(SavedContact { phone_number_id: phone_number_id.to_owned(), number, name })
        }
        // Saved without a name.
        (Some(_), None) => Entry::Ignored,
        (None, _) => Entry::Malformed,
    }
}
