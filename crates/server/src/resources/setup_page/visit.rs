//! Requests to the page: limits, origin, and the link that they are about.

use super::{
    opened::{Opened, open},
    outcome::Reason,
    render::Page,
    texts::Language,
};
use crate::{
    ApiError, AppState,
    api::{
        body::{self, UNKNOWN_SENDER_LIMIT},
        client_address::ClientAddress,
        rate::{RateLimit, Subject},
    },
    auth::own_pages_only,
};
use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};

/// Ends a request early: with a page that says why, or with an error.
pub(crate) enum Stop {
    Page(Box<Response>),
    Error(ApiError),
}

impl From<Response> for Stop {
    fn from(page: Response) -> Self {
        Self::Page(Box::new(page))
    }
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Error(error.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::Page(page) => *page,
            Self::Error(error) => error.into_response(),
        }
    }
}

/// A request about an active link.
pub(super) struct Arrived {
    pub(super) parts: Parts,
    pub(super) opened: Opened,
    pub(super) language: Language,
    token: String,
}

impl Arrived {
    /// Counts the request of its address, and loads the link.
    pub(super) async fn new(ctx: &AppState, token: String, parts: Parts, limit: &RateLimit) -> Result<Self, Stop> {
        let language = Language::of(parts.uri.query().unwrap_or_default(), &parts.headers);
        let page = |opened| page(ctx, &parts, language, &token, opened);
        if let Some(wait) = exceeded(ctx, &parts, limit) {
            return Err(too_many(page(None), wait));
        }
        let Some(opened) = open(ctx, &token).await? else { return Err(page(None).ended(Reason::Unknown).into()) };
        if let Some(reason) = opened.ended(ctx) {
            return Err(page(Some(&opened)).ended(reason).into());
        }
        Ok(Self { parts, opened, language, token })
    }

    /// Receives a form that a page of ours sent.
    pub(super) async fn with_form(ctx: &AppState, token: String, request: Request) -> Result<(Self, Bytes), Stop> {
        let (parts, body) = request.into_parts();
        own_pages_only(ctx, &parts)?;
        let arrived = Self::new(ctx, token, parts, &ctx.http().setup_forms).await?;
        let kind = arrived.parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(ApiError::Malformed("the form must be application/x-www-form-urlencoded".into()).into());
        }
        Ok((arrived, body::bytes(body, UNKNOWN_SENDER_LIMIT).await?))
    }

    pub(super) fn page<'v>(&'v self, ctx: &'v AppState) -> Page<'v> {
        page(ctx, &self.parts, self.language, &self.token, Some(&self.opened))
    }
}

/// Ends a request that names no link.
pub(super) fn without_link(ctx: &AppState, parts: &Parts, reason: Reason) -> Stop {
    let language = Language::of(parts.uri.query().unwrap_or_default(), &parts.headers);
    let page = page(ctx, parts, language, "", None);
    match exceeded(ctx, parts, &ctx.http().setup_forms) {
        Some(wait) => too_many(page, wait),
        None => page.ended(reason).into(),
    }
}

fn too_many(page: Page<'_>, wait: i64) -> Stop {
    let mut response = page.ended(Reason::TooMany);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response.into()
}

fn page<'v>(
    ctx: &'v AppState,
    parts: &Parts,
    language: Language,
    token: &'v str,
    opened: Option<&'v Opened>,
) -> Page<'v> {
    let is_below = parts.uri.path().trim_start_matches("/setup/").contains('/');
    Page { language, token, opened, sign_up: ctx.http().sign_up(), is_below }
}

/// Seconds to wait if the client's address has reached the limit.
fn exceeded(ctx: &AppState, parts: &Parts, limit: &RateLimit) -> Option<i64> {
    let ClientAddress(address) = parts.extensions.get()?;
    let subject = Subject::at(*address);
    limit.count(subject, ctx.now()).filter(|window| window.over)?;
    Some(limit.wait(subject, ctx.now()).unwrap_or(60))
}
