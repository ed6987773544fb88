//! `GET /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    page::Query,
};
use axum::{extract::Path, response::Response};
use serde_json::Value;
use store::{conversations, messages};

/// A conversation's messages, newest first.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    let (limit, offset) = query.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let conversation =
        conversations::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Conversation"))?;
    let (rows, total) = messages::list(&mut conn, ctx.project, id, limit, offset).await?;
    let views: Vec<Value> = rows.iter().map(|row| view::view(row, conversation.phone_number.as_deref())).collect();
    Ok(query.page(&views, total))
}
