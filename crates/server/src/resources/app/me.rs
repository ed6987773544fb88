//! `GET` and `PATCH /app/api/me`

use super::view::{Language, Me, Theme};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::SessionContext,
};
use axum::extract::Request;
use serde::Deserialize;
use store::{transact, users};
use utoipa::ToSchema;

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
pub(super) struct MeUpdate {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    #[schema(value_type = Language)]
    #[serde(default)]
    language: Option<String>,
    #[schema(value_type = Theme)]
    #[serde(default)]
    theme: Option<String>,
    #[schema(nullable = false)]
    shortcuts: Option<bool>,
}

impl RequestBody for MeUpdate {}

/// Read one's own account
#[utoipa::path(
    get, path = "/me", operation_id = "app_me", tag = "Account", security(("Session" = [])),
    responses((status = 200, description = "The person.", body = Data<Me>))
)]
pub(super) async fn get(ctx: SessionContext) -> Result<Data<Me>, ApiError> {
    Ok(Data { data: Me::of(&ctx, ctx.user).await? })
}

/// Change one's own account
#[utoipa::path(
    patch, path = "/me", operation_id = "app_update_me", tag = "Account", security(("Session" = [])),
    request_body = Option<MeUpdate>, responses((status = 200, description = "The person.", body = Data<Me>))
)]
pub(super) async fn update(ctx: SessionContext, request: Request) -> Result<Data<Me>, ApiError> {
    let new = body::read::<MeUpdate>(request).await?;
    let user = ctx.user;
    transact!(ctx.store, "app.update_me", ApiError, tx => {
        let mut person = users::person(tx, user).await?.ok_or(ApiError::NoSession)?;
        person.name = new.name.as_ref().map_or(person.name, |name| name.trim().to_owned());
        person.language = new.language.clone().unwrap_or(person.language);
        person.theme = new.theme.clone().unwrap_or(person.theme);
        person.shortcuts = new.shortcuts.unwrap_or(person.shortcuts);
        Ok(users::set_profile(tx, &person).await?)
    })?;
    Ok(Data { data: Me::of(&ctx, user).await? })
}
