//! `PUT /app/api/me/password`

use super::request::{check_password, hashed, throttled};
use crate::{
    ApiError,
    api::{RequestBody, body},
    auth::SessionContext,
};
use axum::{extract::Request, http::StatusCode};
use serde::Deserialize;
use store::{sessions, transact, users};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordChange {
    #[schema(max_length = 200)]
    old_password: String,
    #[schema(min_length = 10, max_length = 200)]
    new_password: String,
}

impl RequestBody for PasswordChange {}

/// Change one's own password
///
/// Ends the person's other sessions.
#[utoipa::path(
    put, path = "/me/password", operation_id = "app_change_password", tag = "Account", security(("Session" = [])),
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed."),
        (status = 401, description = "`wrong_credentials`: the old password is wrong"),
    )
)]
pub(super) async fn handle(ctx: SessionContext, request: Request) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let asked = body::read::<PasswordChange>(Request::from_parts(parts.clone(), body)).await?;
    let (user, session) = (ctx.user, ctx.session);
    let person = {
        let mut reader = ctx.store.read().await?;
        users::person(&mut reader.conn(), user).await?.ok_or(ApiError::NoSession)?
    };
    let check = check_password(Some(&person), asked.old_password);
    throttled(&ctx, &parts, &person.email, Some(&person), check).await?;
    let password = hashed(&ctx, asked.new_password).await?;
    transact!(ctx.store, "app.change_password", tx => {
        users::set_password(tx, user, &password).await?;
        sessions::revoke_others(tx, user, session).await
    })?;
    Ok(StatusCode::NO_CONTENT)
}
