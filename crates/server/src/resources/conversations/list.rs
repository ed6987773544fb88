//! `GET /whatsapp_conversations`

use super::view;
use crate::{ApiError, auth::ProjectContext, page::Query};
use axum::response::Response;
use domain::phone;
use serde_json::Value;
use store::conversations::{self, Filter};

/// The project's conversations, latest activity first. Runs that talk to nobody are not among them.
pub(crate) async fn handle(ctx: ProjectContext, query: Query) -> Result<Response, ApiError> {
    let status = query.get("q[status_eq]").map(str::to_owned);
    if status.as_deref().is_some_and(|status| !matches!(status, "active" | "ended")) {
        return Err(ApiError::invalid("/q[status_eq]", "unknown_status", "must be active or ended"));
    }
    let filter = Filter {
        status,
        active_from: query.time("q[last_active_at_gteq]")?,
        active_to: query.time("q[last_active_at_lteq]")?,
        phone_number: query
            .get("q[phone_number_eq]")
            .map(|text| phone::normalise(text).map_or_else(|_| text.into(), |phone| phone.e164())),
    };
    let (limit, offset) = query.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = conversations::list(&mut reader.conn(), ctx.project, &filter, limit, offset).await?;
    let views: Vec<Value> = rows.iter().map(view::view).collect();
    Ok(query.page(&views, total))
}
