//! Takes Meta's webhooks: checks the signature over the raw bytes, stores everything in one commit, then answers 200.
//!
//! Nothing is processed here and nothing is lost: Meta delivers at least once and in any order, so "was it inserted?"
//! decides everything, and there is no check before a write (reliability.md §3).

mod apply;
mod messages;
mod sandbox;
mod statuses;
mod templates;

pub(crate) use sandbox::is_about_the_sandbox;

use crate::{ApiError, Context, api::body, failpoint};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use gateways::whatsapp::{signature, webhook};
use secrecy::ExposeSecret as _;
use std::time::Instant;
use store::{transact, unscoped};
use subtle::ConstantTimeEq as _;

/// Meta sends up to 3 MB.
const LIMIT: usize = 4 * 1024 * 1024;

/// The handshake: gives the challenge back to whoever knows the verify token.
pub(crate) async fn handshake(State(ctx): State<Context>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let mut values = std::collections::HashMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        values.insert(name.into_owned(), value.into_owned());
    }
    let get = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    let token = get("hub.verify_token");
    let is_ours = ctx.verify_token.as_ref().is_some_and(|ours| {
        let ours = ours.expose_secret().as_bytes();
        !ours.is_empty() && bool::from(ours.ct_eq(token.as_bytes()))
    });
    // No token of ours holds a NUL, and PostgreSQL takes none.
    if get("hub.mode") != "subscribe" || token.is_empty() || token.contains('\0') {
        return StatusCode::FORBIDDEN.into_response();
    }
    match note_handshake(&ctx, token).await {
        Ok(known) if known || is_ours => {}
        Ok(_) => return StatusCode::FORBIDDEN.into_response(),
        Err(error) => {
            tracing::error!(%error, "handshake not noted");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    match values.get("hub.challenge") {
        // Never as HTML: the challenge is shaped by whoever calls.
        Some(challenge) => ([(header::CONTENT_TYPE, "text/plain")], challenge.clone()).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A number may have a token of its own, and its config tells when Meta showed it. Whether one has this token.
async fn note_handshake(ctx: &Context, token: &str) -> store::Result<bool> {
    {
        let mut reader = ctx.store.read().await?;
        if !unscoped::has_verify_token(&mut reader.conn(), token).await? {
            return Ok(false);
        }
    }
    let now = ctx.now();
    transact!(ctx.store, "ingest.handshake", tx => unscoped::verify_numbers(tx, token, now).await)?;
    Ok(true)
}

/// A delivery.
pub(crate) async fn deliver(State(ctx): State<Context>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match body::bytes(body, LIMIT).await {
        Ok(bytes) => bytes,
        Err(ApiError::TooLarge(_)) => return counted(StatusCode::PAYLOAD_TOO_LARGE, "too_large").into_response(),
        Err(_) => return counted(StatusCode::BAD_REQUEST, "broken").into_response(),
    };
    let signature = parts.headers.get(signature::HEADER).and_then(|value| value.to_str().ok());
    receive(&ctx, signature, &bytes).await.into_response()
}

/// Takes a delivery's raw bytes with their signature header. `200` promises that all of it is stored.
pub async fn receive(ctx: &Context, signature: Option<&str>, bytes: &[u8]) -> StatusCode {
    let began = Instant::now();
    if let Err(error) = signature::verify(&ctx.app_secrets, signature, bytes) {
        metrics::counter!("webhook_signature_failures_total").increment(1);
        return match error {
            signature::SignatureError::Missing => StatusCode::UNAUTHORIZED,
            signature::SignatureError::Wrong => StatusCode::FORBIDDEN,
        };
    }
    failpoint::reach("ingest.verified");
    let delivery = match webhook::parse(bytes) {
        Ok(delivery) => delivery,
        Err(malformed) => {
            tracing::warn!(%malformed, "signed webhook that cannot be read");
            return counted(StatusCode::BAD_REQUEST, "malformed");
        }
    };
    match apply::store(ctx, &delivery, bytes).await {
        Ok(()) => {
            ctx.wake.notify_one();
            metrics::histogram!("inbound_ack_seconds").record(began.elapsed().as_secs_f64());
            counted(StatusCode::OK, "stored")
        }
        Err(error) => {
            // Meta comes back with the same bytes for days.
            tracing::error!(%error, "webhook not stored");
            counted(StatusCode::SERVICE_UNAVAILABLE, "failed")
        }
    }
}

fn counted(status: StatusCode, result: &'static str) -> StatusCode {
    metrics::counter!("inbound_accepted_total", "result" => result).increment(1);
    status
}
