//! The emulated phone of `dev`, below `/app/api/phone`: the control API of the emulator, for
//! operators who are signed in. Without an emulator in this process there are no routes.

use crate::{ApiError, AppState, api::last_uses::Used, auth::SessionContext, state::Phone};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, header},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use domain::Span;
use futures::StreamExt as _;
use runtime::Clock;
use serde_json::Value;
use std::{fs, path::Path};

/// Longest body of a change of the clock.
const LONGEST_CHANGE: usize = 4096;
/// Longest move of this server's clock, 30 days.
const LONGEST_ADVANCE_MS: i64 = 30 * 24 * 3_600_000;
/// Longest sum of moves that a restart repeats, 10 years.
const LONGEST_AHEAD_MS: i64 = 10 * 365 * 24 * 3_600_000;
/// File of the data folder with the sum of moves, in milliseconds.
const AHEAD: &str = "phone-clock";

pub(crate) fn routes(ctx: &AppState) -> Router<AppState> {
    match ctx.http().phone() {
        Phone::Here(control) => {
            let control = control.clone().layer(from_fn_with_state(ctx.clone(), for_operators));
            Router::new().nest_service("/app/api/phone", control)
        }
        Phone::None | Phone::Apart => Router::new(),
    }
}

/// Clock of the server. With a phone in this process it can be moved, and is as far ahead as it was
/// before a restart: otherwise what was stored since would lie in the future.
pub(crate) fn clock(phone: &Phone, configured: Clock, data_dir: &Path) -> Clock {
    match (phone, configured) {
        (Phone::Here(_), Clock::System) => {
            let clock = Clock::shifted();
            clock.forward(Span::from_millis(ahead_before(data_dir)));
            clock
        }
        (_, clock) => clock,
    }
}

fn ahead_before(data_dir: &Path) -> i64 {
    let stored = fs::read_to_string(data_dir.join(AHEAD)).ok();
    let ms = stored.and_then(|text| text.trim().parse().ok());
    ms.filter(|ms| (0..=LONGEST_AHEAD_MS).contains(ms)).unwrap_or_default()
}

/// Refuses people who are no operators. Event streams end with the session and with the server.
async fn for_operators(
    State(ctx): State<AppState>,
    session: SessionContext,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if !session.is_operator {
        let why = "the phone is for operators of this server";
        return Err(ApiError::forbidden("forbidden", "Not allowed for this person", why));
    }
    let response = next.run(with_moved_clock(&ctx, &session, request).await).await;
    let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_owned());
    if !kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
        return Ok(response);
    }
    let over = async move {
        tokio::select! {
            () = ctx.stopping.cancelled() => {}
            () = session.ended() => {}
        }
    };
    Ok(response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(over)))))
}

/// Moves this server's clock with the emulator's: the service window is measured by both. The session
/// stays in use.
async fn with_moved_clock(ctx: &AppState, session: &SessionContext, request: Request) -> Request {
    if request.method() != Method::POST || request.uri().path() != "/clock" {
        return request;
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, LONGEST_CHANGE).await.unwrap_or_default();
    let change: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let ms = change["advance_ms"].as_i64().filter(|ms| (0..=LONGEST_ADVANCE_MS).contains(ms));
    if let Some(ms) = ms {
        ctx.clock.forward(Span::from_millis(ms));
        if let Some(ahead) = ctx.clock.ahead()
            && let Err(error) = fs::write(ctx.http().data_dir().join(AHEAD), ahead.millis().to_string())
        {
            tracing::warn!(%error, "the moved clock is not kept for the next start");
        }
        ctx.http().last_uses.note(Used::Session(session.session), ctx.now());
    }
    Request::from_parts(parts, Body::from(bytes))
}
