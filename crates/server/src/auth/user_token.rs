//! Requests of command lines with a user's token.

use super::request::{count, facts, rejection};
use crate::{ApiError, AppState, api::facts::RequestFacts};
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::api_key;
use std::{ops::Deref, sync::Arc};
use store::{
    cli_logins,
    users::{self, UserRow},
};
use subtle::ConstantTimeEq as _;

/// Context of a request with a user's token from the command line.
#[derive(Clone)]
pub(crate) struct UserContext {
    ctx: AppState,
    pub(crate) user: UserRow,
    /// Lookup part of the token.
    pub(crate) token_lookup: String,
    pub(crate) facts: Arc<RequestFacts>,
}

impl Deref for UserContext {
    type Target = AppState;
    fn deref(&self) -> &AppState {
        &self.ctx
    }
}

impl FromRequestParts<AppState> for UserContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &AppState) -> Result<Self, ApiError> {
        Self::authenticate(parts, ctx).await.map_err(|error| rejection(parts, ctx, error))
    }
}

impl UserContext {
    async fn authenticate(parts: &Parts, ctx: &AppState) -> Result<Self, ApiError> {
        let token =
            parts.headers.get("x-cli-token").and_then(|token| token.to_str().ok()).ok_or(ApiError::NotSignedIn)?;
        let lookup = api_key::token_lookup(token).ok_or(ApiError::NotSignedIn)?;
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let row = cli_logins::token(&mut conn, lookup, ctx.now()).await?.ok_or(ApiError::NotSignedIn)?;
        if !bool::from(row.hash.ct_eq(&api_key::hash(token))) {
            return Err(ApiError::NotSignedIn);
        }
        let user = users::find(&mut conn, row.user_id).await?.ok_or(ApiError::NotSignedIn)?;
        let facts = facts(parts);
        count(ctx, &ctx.http().rate_limit, user.id.uuid(), &facts)?;
        Ok(Self { ctx: ctx.clone(), user, token_lookup: lookup.to_owned(), facts })
    }
}
