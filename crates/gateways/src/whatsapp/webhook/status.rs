//! Reads a status of a sent message.

use super::{Status, StatusError, StatusUpdate, json};
use serde_json::Value;

/// `None` without an id or a status.
pub(super) fn read(phone_number_id: &str, raw: &Value) -> Option<StatusUpdate> {
    let first = |keys: [&str; 2]| keys.into_iter().find_map(|key| json::id(raw.get(key)));
    Some(StatusUpdate {
        phone_number_id: phone_number_id.to_owned(),
        wamid: json::id(raw.get("id"))?,
        status: status(raw.get("status")?.as_str()?),
        at: json::time(raw.get("timestamp")),
        opaque: json::text(raw.get("biz_opaque_callback_data")),
        error: raw.pointer("/errors/0").map(error),
        // In a group the recipient is the group, and each participant has separate statuses.
        recipient: first(["recipient_participant_id", "recipient_id"]),
        recipient_user_id: first(["recipient_participant_user_id", "recipient_user_id"]),
    })
}

fn status(word: &str) -> Status {
    match word {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "played" => Status::Played,
        "failed" => Status::Failed,
        "deleted" => Status::Deleted,
        other => Status::Other(other.to_owned()),
    }
}

fn error(raw: &Value) -> StatusError {
    let code = raw.get("code");
    StatusError {
        code: code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok())).unwrap_or_default(),
        title: json::text(raw.get("title")),
        message: json::text(raw.get("message")),
        // Older webhooks have the details at the top level.
        details: json::text(raw.pointer("/error_data/details").or_else(|| raw.get("details"))),
    }
}
