//! Parts of authentication that all kinds of requests share: counting, and refusals.

use crate::{
    ApiError, AppState,
    api::{
        client_address::ClientAddress,
        facts::RequestFacts,
        rate::{RateLimit, Subject, Window},
    },
};
use axum::http::{HeaderMap, request::Parts};
use domain::{Id, ids::ProjectId};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

pub(super) fn facts(parts: &Parts) -> Arc<RequestFacts> {
    parts.extensions.get::<Arc<RequestFacts>>().cloned().unwrap_or_default()
}

/// Maps an authentication failure to its response. An address with too many wrong keys gets 429
/// whether or not the key exists. Valid keys are still accepted from there.
pub(super) fn rejection(parts: &Parts, ctx: &AppState, error: ApiError) -> ApiError {
    if !matches!(error, ApiError::Unauthorized | ApiError::NotSignedIn | ApiError::NoSession) {
        return error;
    }
    let Some(ClientAddress(address)) = parts.extensions.get() else { return error };
    match show(
        ctx.http().rate_limit.count(Subject::at(*address), ctx.now()).filter(|window| window.over),
        &facts(parts),
    ) {
        Ok(()) => error,
        Err(limited) => limited,
    }
}

/// Counts a request against the limit of its key, user or session. The answer shows this limit,
/// unless that of the project is exceeded.
pub(super) fn count(ctx: &AppState, limit: &RateLimit, who: Uuid, facts: &RequestFacts) -> Result<(), ApiError> {
    show(limit.count(Subject::Principal(who), ctx.now()), facts)
}

/// Counts a request against the limit of its project, after that of its principal: a client above
/// its own limit uses up nothing of the others'.
pub(super) fn count_project(ctx: &AppState, project: ProjectId, facts: &RequestFacts) -> Result<(), ApiError> {
    show(ctx.http().project_rate.count(Subject::Project(project), ctx.now()), facts)
}

fn show(window: Option<Window>, facts: &RequestFacts) -> Result<(), ApiError> {
    let Some(window) = window else { return Ok(()) };
    let mut shown = facts.window.lock().unwrap_or_else(PoisonError::into_inner);
    if window.over || shown.is_none() {
        *shown = Some(window);
    }
    if window.over { Err(ApiError::RateLimited) } else { Ok(()) }
}

/// Text of a header; empty if absent.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Parses an id of the path; a malformed one is *not found*, like an absent one.
pub fn path_id<T>(text: &str, what: &'static str) -> Result<Id<T>, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound(what))
}
