//! How a message is shown.

use serde_json::{Value, json};
use store::messages::MessageRow;

/// The contract's fields.
pub(super) fn view(row: &MessageRow, phone_number: Option<&str>) -> Value {
    let data = if row.kind == "text" { json!({"text": row.content}) } else { json!({}) };
    let error = row.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok());
    json!({
        "id": row.id,
        "phone_number": phone_number,
        "message_type": row.kind,
        "content": row.content,
        "direction": row.direction,
        "status": row.status,
        "processing_status": if row.status == "pending" { "pending" } else { "processed" },
        "whatsapp_message_id": row.wamid,
        "metadata": error.map_or_else(|| json!({}), |error| json!({"error": error})),
        "media_url": null,
        "message_type_data": data,
        "created_at": row.created_at.to_iso(),
        "updated_at": row.updated_at.to_iso(),
    })
}
