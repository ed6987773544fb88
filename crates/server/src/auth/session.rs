//! Requests of people who signed in, outside of a project.

use super::{
    request::{count, facts, rejection},
    same_site::Asked,
    sign_in::{self, token_hash},
};
use crate::{
    ApiError, AppState,
    api::{cookie::Cookie, facts::RequestFacts, last_uses::Used},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use domain::ids::{SessionId, UserId};
use std::{ops::Deref, sync::Arc, time::Duration};
use store::sessions::{self, SignedIn};

/// Interval at which streams check that their session is still valid.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Context of a request with a session.
#[derive(Clone)]
pub(crate) struct SessionContext {
    ctx: AppState,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) is_operator: bool,
    pub(crate) facts: Arc<RequestFacts>,
    /// `Host` header, for cookies.
    pub(crate) host: Option<HeaderValue>,
}

impl Deref for SessionContext {
    type Target = AppState;
    fn deref(&self) -> &AppState {
        &self.ctx
    }
}

impl FromRequestParts<AppState> for SessionContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &AppState) -> Result<Self, ApiError> {
        let facts = facts(parts);
        let found = signed_in(ctx, parts, &facts).await.map_err(|error| rejection(parts, ctx, error))?;
        let host = parts.headers.get(header::HOST).cloned();
        let SignedIn { id: session, user_id: user, is_operator, .. } = found;
        Ok(Self { ctx: ctx.clone(), user, session, is_operator, facts, host })
    }
}

impl SessionContext {
    /// Actor in the audit log.
    pub(crate) fn actor(&self) -> String {
        format!("user:{}", self.user)
    }

    /// Completes a few seconds after the session ended, on any node.
    pub(crate) async fn ended(&self) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            match self.is_over().await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => tracing::warn!(%error, "the session of a stream was not checked"),
            }
        }
    }

    async fn is_over(&self) -> store::Result<bool> {
        let mut reader = self.store.read().await?;
        let found = sessions::by_id(&mut reader.conn(), self.session).await?;
        Ok(!found.is_some_and(|found| sign_in::is_valid(self, &found)))
    }
}

/// The valid session of a request's cookie; counts the request.
pub(super) async fn signed_in(ctx: &AppState, parts: &Parts, facts: &RequestFacts) -> Result<SignedIn, ApiError> {
    let secure = ctx.is_secure(parts.headers.get(header::HOST));
    let secret = Cookie::Session.read(&parts.headers, secure).ok_or(ApiError::NoSession)?;
    let found = {
        let mut reader = ctx.store.read().await?;
        sessions::find(&mut reader.conn(), &token_hash(secret)).await?
    };
    let found = found.filter(|found| sign_in::is_valid(ctx, found)).ok_or(ApiError::NoSession)?;
    asked(ctx, parts).check()?;
    count(ctx, &ctx.http().session_limit, found.id.uuid(), facts)?;
    ctx.http().last_uses.note(Used::Session(found.id), ctx.now());
    Ok(found)
}

/// Id of the request's session, if it is valid; for operations that are open to all.
pub(crate) async fn session_of(ctx: &AppState, headers: &HeaderMap) -> Result<Option<SignedIn>, ApiError> {
    let secure = ctx.is_secure(headers.get(header::HOST));
    let Some(secret) = Cookie::Session.read(headers, secure) else { return Ok(None) };
    let mut reader = ctx.store.read().await?;
    let found = sessions::find(&mut reader.conn(), &token_hash(secret)).await?;
    Ok(found.filter(|found| sign_in::is_valid(ctx, found)))
}

/// Refuses a sign-in that a page of another site sends.
pub(crate) fn own_pages_only(ctx: &AppState, parts: &Parts) -> Result<(), ApiError> {
    asked(ctx, parts).check_open()
}

fn asked<'r>(ctx: &'r AppState, parts: &'r Parts) -> Asked<'r> {
    Asked { method: &parts.method, headers: &parts.headers, public_url: ctx.http().public_url() }
}
