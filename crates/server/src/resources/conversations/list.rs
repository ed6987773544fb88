//! `GET /whatsapp_conversations`

use super::view::{ConversationStatus, WhatsappConversation};
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
};
use domain::phone;
use serde::Deserialize;
use store::conversations::{self, Filter};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Exact status.
    #[serde(rename = "q[status_eq]")]
    #[param(inline, value_type = Option<ConversationStatus>)]
    status: Option<String>,
    /// Active at or after this time.
    #[serde(rename = "q[last_active_at_gteq]")]
    #[param(inline)]
    active_from: Option<Time>,
    /// Active at or before this time.
    #[serde(rename = "q[last_active_at_lteq]")]
    #[param(inline)]
    active_to: Option<Time>,
    /// Exact phone number.
    #[serde(rename = "q[phone_number_eq]")]
    phone_number: Option<String>,
}

/// List the project's conversations
///
/// Latest activity first. Executions without a contact are not included.
#[utoipa::path(
    get, path = "/whatsapp_conversations", operation_id = "list_whatsapp_conversations",
    tag = "WhatsApp Conversations", params(List<Filters>),
    responses((status = 200, description = "One page of conversations.", body = Page<WhatsappConversation>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<Filters>) -> Result<Page<WhatsappConversation>, ApiError> {
    let Filters { status, active_from, active_to, phone_number } = &list.filter;
    let filter = Filter {
        status: status.clone(),
        active_from: active_from.map(|time| time.0),
        active_to: active_to.map(Time::end),
        phone_number: phone_number.as_deref().map(phone::comparable),
    };
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = conversations::list(&mut reader.conn(), ctx.project, &filter, limit, offset).await?;
    Ok(list.page(rows.iter().map(WhatsappConversation::of).collect(), total))
}
