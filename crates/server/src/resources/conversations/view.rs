//! How a conversation is shown.

use serde_json::{Value, json};
use store::conversations::ConversationRow;

/// The contract's fields. The number is null where the person hides it.
pub(super) fn view(row: &ConversationRow) -> Value {
    json!({
        "id": row.id,
        "phone_number": row.phone_number,
        "status": row.status,
        "last_active_at": row.last_active_at.to_iso(),
        "contact_name": row.contact_name,
        "whatsapp_config_id": row.config(),
    })
}
