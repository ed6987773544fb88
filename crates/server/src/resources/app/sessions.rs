//! `GET /app/api/me/sessions` and `DELETE /app/api/me/sessions/{id}`

use crate::{
    ApiError,
    api::{Data, Time},
    auth::{IDLE, SessionContext, path_id},
};
use axum::{extract::Path, http::StatusCode};
use serde::Serialize;
use store::{sessions, transact};
use utoipa::ToSchema;
use uuid::Uuid;

/// A session of the person.
#[derive(Serialize, ToSchema)]
pub(super) struct AppSession {
    id: Uuid,
    created_at: Time,
    /// A minute old at most.
    last_used_at: Time,
    /// Empty if unknown.
    address: String,
    user_agent: String,
    is_current: bool,
}

/// List one's own sessions, newest first
#[utoipa::path(
    get, path = "/me/sessions", operation_id = "app_sessions", tag = "Account", security(("Session" = [])),
    responses((status = 200, description = "The sessions; at most 100.", body = Data<Vec<AppSession>>))
)]
pub(super) async fn list(ctx: SessionContext) -> Result<Data<Vec<AppSession>>, ApiError> {
    let now = ctx.now();
    let mut reader = ctx.store.read().await?;
    let rows = sessions::list(&mut reader.conn(), ctx.user, now - IDLE, now).await?;
    let view = |row: sessions::SessionRow| AppSession {
        id: row.id.uuid(),
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.into(),
        address: row.address,
        user_agent: row.user_agent,
        is_current: row.id == ctx.session,
    };
    Ok(Data { data: rows.into_iter().map(view).collect() })
}

/// End a session
///
/// Its streams close within 5 seconds.
#[utoipa::path(
    delete, path = "/me/sessions/{id}", operation_id = "app_revoke_session", tag = "Account",
    security(("Session" = [])), params(("id", description = "Session id.")),
    responses((status = 204, description = "Ended."))
)]
pub(super) async fn revoke(ctx: SessionContext, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let (user, id) = (ctx.user, path_id(&id, "Session")?);
    match transact!(ctx.store, "app.revoke_session", tx => sessions::revoke(tx, user, id).await)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound("Session")),
    }
}
