//! Authentication. A handler that takes [`ProjectContext`] runs only with a valid key and is scoped
//! to its project.

use crate::{
    ApiError, AppState,
    api::{
        client_address::ClientAddress,
        facts::{LONGEST_KEY, RequestFacts},
        rate::Subject,
    },
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Method, header, request::Parts},
};
use domain::{
    Id, api_key,
    ids::{ApiKeyId, MessageId, ProjectId, UserId},
};
use std::{ops::Deref, sync::Arc};
use store::{
    cli_logins,
    unscoped::{self, DirectoryKind},
    users::{self, UserRow},
};
use subtle::ConstantTimeEq as _;

/// Context of a request with a project's key.
#[derive(Clone)]
pub struct ProjectContext {
    ctx: AppState,
    /// Project of the key; the only one the request may access.
    pub project: ProjectId,
    pub(crate) key: ApiKeyId,
    /// User who created the key, if a signed-in user did.
    pub(crate) user: Option<UserId>,
    /// `Idempotency-Key` of a POST.
    pub(crate) idempotency_key: Option<String>,
    pub(crate) facts: Arc<RequestFacts>,
    /// `Host` header, for links in answers.
    host: Option<HeaderValue>,
}

impl ProjectContext {
    /// Link to a message's file, valid for a day.
    pub(crate) fn media_url(&self, message: MessageId) -> String {
        self.base_url(self.host.as_ref()) + &runtime::media::link::path(self, self.project, message)
    }
}

impl Deref for ProjectContext {
    type Target = AppState;
    fn deref(&self) -> &AppState {
        &self.ctx
    }
}

impl FromRequestParts<AppState> for ProjectContext {
    type Rejection = ApiError;

    /// Authenticates once per request; later extractors get the same context.
    async fn from_request_parts(parts: &mut Parts, ctx: &AppState) -> Result<Self, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let known = Self::authenticate(parts, ctx).await.map_err(|error| rejection(parts, ctx, error))?;
        parts.extensions.insert(known.clone());
        Ok(known)
    }
}

impl ProjectContext {
    async fn authenticate(parts: &Parts, ctx: &AppState) -> Result<Self, ApiError> {
        let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok()).ok_or(ApiError::Unauthorized)?;
        let lookup = api_key::lookup(key).ok_or(ApiError::Unauthorized)?;
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let pointer =
            unscoped::look_up(&mut conn, DirectoryKind::ApiKey, lookup).await?.ok_or(ApiError::Unauthorized)?;
        let id: ApiKeyId = Id::from_uuid(pointer.object_id);
        let stored = store::api_keys::find(&mut conn, pointer.project_id, id).await?;
        let stored = stored.filter(|stored| bool::from(stored.hash.ct_eq(&api_key::hash(key))));
        let user = stored.ok_or(ApiError::Unauthorized)?.user_id;
        let facts = parts.extensions.get::<Arc<RequestFacts>>().cloned().unwrap_or_default();
        count(ctx, id, &facts)?;
        facts.memory.get_or_init(|| (ctx.http().large_bodies.clone(), pointer.project_id));
        let idempotency_key = idempotency_key(parts)?;
        let host = parts.headers.get(header::HOST).cloned();
        Ok(Self { ctx: ctx.clone(), project: pointer.project_id, key: id, user, idempotency_key, facts, host })
    }
}

fn idempotency_key(parts: &Parts) -> Result<Option<String>, ApiError> {
    let Some(value) = parts.headers.get("idempotency-key").filter(|_| parts.method == Method::POST) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            let why = format!("must be 1 to {LONGEST_KEY} visible ASCII characters");
            Err(ApiError::invalid("/Idempotency-Key", "invalid_format", why))
        }
    }
}

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
        let facts = parts.extensions.get::<Arc<RequestFacts>>().cloned().unwrap_or_default();
        count(ctx, Id::from_uuid(user.id.uuid()), &facts)?;
        Ok(Self { ctx: ctx.clone(), user, token_lookup: lookup.to_owned(), facts })
    }
}

/// Maps an authentication failure to its response. An address with too many wrong keys gets 429
/// whether or not the key exists. Valid keys are still accepted from there.
fn rejection(parts: &Parts, ctx: &AppState, error: ApiError) -> ApiError {
    if !matches!(error, ApiError::Unauthorized | ApiError::NotSignedIn) {
        return error;
    }
    let Some(ClientAddress(address)) = parts.extensions.get() else { return error };
    let window = ctx.http().rate_limit.count(Subject::at(*address), ctx.now()).filter(|window| window.over);
    let (Some(window), Some(facts)) = (window, parts.extensions.get::<Arc<RequestFacts>>()) else { return error };
    facts.window.get_or_init(|| window);
    ApiError::RateLimited
}

/// Counts a request against the limit of its key or user.
fn count(ctx: &AppState, who: ApiKeyId, facts: &RequestFacts) -> Result<(), ApiError> {
    match ctx.http().rate_limit.count(Subject::Key(who), ctx.now()) {
        Some(window) if facts.window.get_or_init(|| window).over => Err(ApiError::RateLimited),
        _ => Ok(()),
    }
}

/// Parses an id of the path; a malformed one is *not found*, like an absent one.
pub fn path_id<T>(text: &str, what: &'static str) -> Result<Id<T>, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound(what))
}
