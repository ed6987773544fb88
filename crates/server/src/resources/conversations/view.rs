//! API representation of a conversation.

use crate::api::{Time, words};
use serde::Serialize;
use store::conversations::ConversationRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// Conversation between one contact and one number.
#[derive(Serialize, ToSchema)]
pub(crate) struct WhatsappConversation {
    id: Uuid,
    /// Null if the contact hides it.
    phone_number: Option<String>,
    #[schema(value_type = ConversationStatus)]
    status: String,
    last_active_at: Time,
    contact_name: Option<String>,
    /// Null in the sandbox.
    whatsapp_config_id: Option<Uuid>,
}

words!(ConversationStatus = "active", "ended");

impl WhatsappConversation {
    pub(super) fn of(row: &ConversationRow) -> Self {
        Self {
            id: row.id.uuid(),
            phone_number: row.phone_number.clone(),
            status: row.status.to_string(),
            last_active_at: row.last_active_at.into(),
            contact_name: row.contact_name.clone(),
            whatsapp_config_id: row.whatsapp_config_id.map(|id| id.uuid()),
        }
    }
}
