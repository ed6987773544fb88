//! The bodies of message and conversation events, in both versions of the contract
//! (openapi/contract/openapi-later.yaml).

use domain::{
    Timestamp,
    hook::PayloadVersion,
    message::{Direction, MessageOrigin, MessageStatus, contract_kind},
    wording,
};
use serde_json::{Map, Value, json};
use store::{
    conversations::ConversationRow,
    messages::{MessageRow, StatusTimes},
    whatsapp_configs::WhatsappConfigRow,
};

/// A message and its number, as payloads of both versions show them.
#[derive(Debug)]
pub(super) struct MessageFacts<'a> {
    pub message: &'a MessageRow,
    pub times: Option<StatusTimes>,
    pub conversation: &'a ConversationRow,
    /// None in the sandbox.
    pub config: Option<&'a WhatsappConfigRow>,
    pub is_new: bool,
}

impl MessageFacts<'_> {
    pub(super) fn body(&self, version: PayloadVersion) -> Value {
        match version {
            PayloadVersion::V1 => json!({
                "message": self.message_v1(),
                "conversation": conversation_v1(self.conversation),
                "whatsapp_config": config_v1(self.conversation, self.config),
                "is_new_conversation": self.is_new,
            }),
            PayloadVersion::V2 => json!({
                "message": self.message_v2(),
                "conversation": conversation_v2(self.conversation, Some(self)),
                "is_new_conversation": self.is_new,
                "phone_number_id": self.conversation.phone_number_id,
            }),
        }
    }

    fn message_v1(&self) -> Value {
        let row = self.message;
        json!({
            "id": row.id,
            "message_type": contract_kind(&row.kind),
            "content": self.text(),
            "direction": row.direction.as_str(),
            "phone_number": self.conversation.phone_number,
            "status": row.status.as_str(),
            "whatsapp_message_id": row.wamid,
            "created_at": row.created_at.to_iso(),
        })
    }

    /// Meta's element with our object `kapso`. Its type is Meta's, as are its fields.
    fn message_v2(&self) -> Value {
        let row = self.message;
        let mut element = self.element();
        element.insert("id".into(), json!(self.wamid()));
        element.entry("timestamp").or_insert_with(|| json!(row.created_at.secs().to_string()));
        element.insert("type".into(), json!(row.kind));
        if row.kind == "text" && row.deleted_at.is_none() {
            element.entry("text").or_insert_with(|| json!({"body": row.content}));
        }
        let waits = row.status == MessageStatus::Pending || row.direction == Direction::Inbound;
        let origin = if row.origin == MessageOrigin::Phone { "business_app" } else { "cloud_api" };
        let kapso = json!({
            "direction": row.direction.as_str(),
            "status": row.status.as_str(),
            "processing_status": if waits { "pending" } else { "processed" },
            "origin": origin,
            "has_media": matches!(row.kind.as_str(), "image" | "video" | "audio" | "document" | "sticker"),
            "content": self.text(),
            "statuses": self.statuses(),
            "message_id": row.id,
        });
        element.insert("kapso".into(), kapso);
        Value::Object(element)
    }

    fn element(&self) -> Map<String, Value> {
        let raw = self.message.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok());
        match raw {
            Some(Value::Object(element)) => element,
            _ => Map::new(),
        }
    }

    fn text(&self) -> String {
        let MessageRow { content, kind, raw, deleted_at, .. } = self.message;
        if deleted_at.is_some() {
            return String::new();
        }
        wording::of_stored(content, kind, raw.as_deref())
    }

    /// Meta's id, or ours before WhatsApp has accepted the message.
    fn wamid(&self) -> String {
        self.message.wamid.clone().unwrap_or_else(|| self.message.id.to_string())
    }

    /// Meta's statuses in the order of their times.
    fn statuses(&self) -> Vec<Value> {
        let Some(times) = &self.times else { return Vec::new() };
        let each = [
            ("sent", times.sent_at),
            ("delivered", times.delivered_at),
            ("read", times.read_at),
            ("failed", times.failed_at),
        ];
        let mut each: Vec<(&str, Timestamp)> = each.into_iter().filter_map(|(word, at)| Some((word, at?))).collect();
        each.sort_by_key(|(_, at)| *at);
        let error = self.message.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok());
        let status = |(word, at): (&str, Timestamp)| {
            let mut status = json!({"id": self.wamid(), "status": word, "timestamp": at.secs().to_string()});
            if let (Some(error), "failed") = (&error, word) {
                status["errors"] = json!([error]);
            }
            status
        };
        each.into_iter().map(status).collect()
    }
}

/// The body of a conversation event. `more` is added to it.
pub(super) fn conversation(
    row: &ConversationRow,
    config: Option<&WhatsappConfigRow>,
    version: PayloadVersion,
    more: &Map<String, Value>,
) -> Value {
    let mut body = match version {
        PayloadVersion::V1 => json!({
            "conversation": conversation_v1(row),
            "whatsapp_config": config_v1(row, config),
        }),
        PayloadVersion::V2 => json!({
            "conversation": conversation_v2(row, None),
            "phone_number_id": row.phone_number_id,
        }),
    };
    for (name, value) in more {
        body[name] = value.clone();
    }
    body
}

fn conversation_v1(row: &ConversationRow) -> Value {
    json!({
        "id": row.id,
        "phone_number": row.phone_number,
        "status": row.status.as_str(),
        "whatsapp_config_id": row.whatsapp_config_id,
    })
}

fn config_v1(conversation: &ConversationRow, config: Option<&WhatsappConfigRow>) -> Value {
    json!({
        "id": conversation.whatsapp_config_id,
        "phone_number_id": conversation.phone_number_id,
        "display_phone_number": config.and_then(|config| config.display_phone_number.as_deref()),
    })
}

fn conversation_v2(row: &ConversationRow, last: Option<&MessageFacts<'_>>) -> Value {
    let mut kapso = json!({
        "contact_name": row.contact_name,
        "last_inbound_at": row.last_inbound_at.map(Timestamp::to_iso),
    });
    if let Some(last) = last {
        kapso["last_message_id"] = json!(last.wamid());
        kapso["last_message_type"] = json!(last.message.kind);
        kapso["last_message_timestamp"] = json!(last.message.created_at.to_iso());
        kapso["last_message_text"] = json!(last.text());
    }
    json!({
        "id": row.id,
        "phone_number": row.phone_number.as_deref().map(|number| number.trim_start_matches('+')),
        "status": row.status.as_str(),
        "last_active_at": row.last_active_at.to_iso(),
        "created_at": created_at(row).to_iso(),
        "updated_at": row.last_active_at.to_iso(),
        "metadata": {},
        "phone_number_id": row.phone_number_id,
        "kapso": kapso,
    })
}

/// The time in the conversation's id.
fn created_at(row: &ConversationRow) -> Timestamp {
    let Some(time) = row.id.uuid().get_timestamp() else { return row.last_active_at };
    let (secs, nanos) = time.to_unix();
    Timestamp::from_micros(i64::try_from(secs).unwrap_or_default() * 1_000_000 + i64::from(nanos / 1_000))
}
