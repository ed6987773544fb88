//! `GET /whatsapp_conversations/{conversation_id}`

use super::view::WhatsappConversation;
use crate::{ApiError, api::Data, found::Found};
use store::conversations;

/// Read one conversation
///
/// A conversation is one contact on one number of the business.
#[utoipa::path(
    get, path = "/whatsapp_conversations/{conversation_id}", operation_id = "get_whatsapp_conversation",
    tag = "WhatsApp Conversations", params(("conversation_id", description = "Conversation id.")),
    responses((status = 200, description = "The conversation.", body = Data<WhatsappConversation>))
)]
pub(super) async fn handle(
    Found(conversation): Found<conversations::ConversationRow>,
) -> Result<Data<WhatsappConversation>, ApiError> {
    Ok(Data { data: WhatsappConversation::of(&conversation) })
}
