//! `GET /whatsapp_conversations/{conversation_id}`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
};
use axum::{Json, extract::Path};
use serde_json::{Value, json};
use store::conversations;

/// One conversation.
pub(crate) async fn handle(ctx: ProjectContext, Path(conversation_id): Path<String>) -> Result<Json<Value>, ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    let mut reader = ctx.store.read().await?;
    let row =
        conversations::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Conversation"))?;
    Ok(Json(json!({"data": view::view(&row)})))
}
