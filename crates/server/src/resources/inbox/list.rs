//! `GET /inbox`

use super::view::{InboxEntry, InboxView};
use crate::{
    ApiError,
    api::{
        Query,
        cursor::{self, CursorMeta},
    },
    auth::ProjectContext,
    resources::conversations::ConversationStatus as StatusName,
};
use axum::Json;
use domain::{Id, conversation::ConversationStatus};
use serde::{Deserialize, Serialize};
use store::{
    inbox::{self, Filter, View},
    whatsapp_configs,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Conversations of one answer.
const LENGTH: usize = 50;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Part of the inbox; `all` if absent. Closed conversations are only in `all`.
    #[param(inline, value_type = Option<InboxView>)]
    view: Option<String>,
    /// Exact status.
    #[param(inline, value_type = Option<StatusName>)]
    status: Option<String>,
    /// Only conversations with this contact.
    contact: Option<Uuid>,
    /// Only conversations of this WhatsApp config.
    config: Option<Uuid>,
    /// Part of a name or phone number.
    #[param(max_length = 200)]
    search: Option<String>,
    /// `meta.before` of the previous answer.
    #[param(pattern = r"^[0-9]{1,16}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    before: Option<String>,
}

/// Conversations, latest activity first.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxPage {
    data: Vec<InboxEntry>,
    meta: CursorMeta,
}

/// List the conversations of the inbox
///
/// Latest activity first, 50 at a time. `view=mine` is empty with an API key, which is no person.
#[utoipa::path(
    get, path = "/inbox", operation_id = "list_inbox", tag = "Inbox", params(Filters),
    responses((status = 200, description = "Conversations.", body = InboxPage))
)]
pub(super) async fn handle(ctx: ProjectContext, Query(asked): Query<Filters>) -> Result<Json<InboxPage>, ApiError> {
    let view = View::EACH.into_iter().find(|view| asked.view.as_deref() == Some(view.as_str())).unwrap_or(View::All);
    let status = asked.status.as_deref().and_then(|status| status.parse::<ConversationStatus>().ok());
    let before = asked.before.as_deref().map(cursor::parse).transpose()?;
    let search = asked.search.as_deref().map(str::trim).filter(|search| !search.is_empty());
    let limit = i64::try_from(LENGTH).unwrap_or(i64::MAX) + 1;
    let mut rows = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let number = match asked.config {
            Some(config) => {
                let config = whatsapp_configs::find(&mut conn, ctx.project, Id::from_uuid(config)).await?;
                Some(config.ok_or(ApiError::NotFound("WhatsApp config"))?.phone_number_id)
            }
            None => None,
        };
        let contact = asked.contact.map(Id::from_uuid);
        let phone_number_id = number.as_deref();
        let filter = Filter { view, reader: ctx.principal.user(), status, search, contact, phone_number_id, before };
        inbox::list(&mut conn, ctx.project, &filter, limit).await?
    };
    let has_more = rows.len() > LENGTH;
    rows.truncate(LENGTH);
    let last = rows.last().filter(|_| has_more).map(|row| cursor::text(row.last_active_at, row.id));
    let data = rows.iter().map(InboxEntry::of).collect();
    Ok(Json(InboxPage { data, meta: CursorMeta { before: last } }))
}
