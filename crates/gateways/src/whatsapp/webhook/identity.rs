//! Notices that a contact has another number or user id (docs/spec/whatsapp-cloud-api.md 1.4, 1.6).

use super::json;
use serde_json::Value;

/// New identifiers of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewIdentity {
    /// The number.
    pub wa_id: Option<String>,
    /// The business-scoped user id.
    pub user_id: Option<String>,
}

/// A change of a user id that is told without a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdUpdate {
    pub wa_id: Option<String>,
    pub previous: Option<String>,
    pub current: String,
}

/// The new identifiers in a message of the type `system`; `None` if it tells of something else.
pub fn of_notice(message: &Value) -> Option<NewIdentity> {
    let notice = message.get("system")?;
    let kind = notice.get("type").and_then(Value::as_str)?;
    if !matches!(kind, "user_changed_number" | "customer_changed_number" | "user_changed_user_id") {
        return None;
    }
    // Older payloads name the new number `new_wa_id`.
    let wa_id = json::id(notice.get("wa_id")).or_else(|| json::id(notice.get("new_wa_id")));
    let new = NewIdentity { wa_id, user_id: json::id(notice.get("user_id")) };
    (new != NewIdentity::default()).then_some(new)
}

/// The readable entries of a change of the field `user_id_update`.
pub fn user_id_updates(change: &Value) -> Vec<UserIdUpdate> {
    let entries = change.pointer("/value/user_id_update").and_then(Value::as_array).into_iter().flatten();
    let read = |entry: &Value| {
        let ids = entry.get("user_id")?;
        Some(UserIdUpdate {
            wa_id: json::id(entry.get("wa_id")),
            previous: json::id(ids.get("previous")),
            current: json::id(ids.get("current"))?,
        })
    };
    entries.filter_map(read).collect()
}
