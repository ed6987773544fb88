//! Helpers of the operations that sign a person in: origin of a request, failed tries, passwords.

use crate::{
    ApiError, AppState,
    api::{facts::RequestFacts, throttle::Attempt},
    auth::{address, known_user, own_pages_only},
    passwords,
};
use axum::{extract::Request, http::request::Parts};
use std::{future::Future, sync::Arc};
use store::users::PersonRow;

/// Splits the head off a request that a page of another site did not send.
pub(super) fn own_request(ctx: &AppState, request: Request) -> Result<(Parts, Request), ApiError> {
    let (parts, body) = request.into_parts();
    own_pages_only(ctx, &parts)?;
    Ok((parts.clone(), Request::from_parts(parts, body)))
}

/// Runs a check of a secret for an account. Failures are limited; see `api/throttle.rs`.
pub(super) async fn throttled<T>(
    ctx: &AppState,
    parts: &Parts,
    account: &str,
    person: Option<&PersonRow>,
    check: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let known = known_user(ctx, &parts.headers).filter(|known| person.is_some_and(|person| person.id == *known));
    let attempt = match known {
        Some(user) => Attempt::known(user, ctx.now()),
        None => Attempt::unknown(account, address(parts), ctx.now()),
    };
    if !ctx.http().throttle.begin(&attempt) {
        return Err(ApiError::RateLimited);
    }
    let checked = check.await;
    if !matches!(checked, Err(ApiError::WrongCredentials)) {
        ctx.http().throttle.succeeded(&attempt);
    }
    checked
}

/// Checks a person's password; fails equally, and as slowly, without a person or password.
pub(super) async fn check_password(person: Option<&PersonRow>, password: String) -> Result<(), ApiError> {
    let stored = person.and_then(|person| person.password.clone());
    match passwords::is_right(password, stored).await? {
        true => Ok(()),
        false => Err(ApiError::WrongCredentials),
    }
}

/// Hash of a new password.
pub(super) async fn hashed(ctx: &AppState, password: String) -> Result<String, ApiError> {
    let mut salt = [0; 16];
    ctx.fill_random(&mut salt);
    passwords::hash(password, salt).await
}

/// Id of the request, for the audit log.
pub(super) fn request_id(parts: &Parts) -> String {
    parts.extensions.get::<Arc<RequestFacts>>().map(|facts| facts.request_id.clone()).unwrap_or_default()
}
