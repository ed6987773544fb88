//! Receives Meta's webhooks: the handshake, and deliveries, which [`runtime::ingest`] stores.

use crate::{
    ApiError, AppState,
    api::{client_address::ClientAddress, rate::Subject, unverified::Reserved},
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::ids::ProjectId;
use gateways::whatsapp::signature;
use runtime::{
    ingest::{Received, receive, refuse_unsigned},
    number_proof,
};
use secrecy::ExposeSecret as _;
use store::{
    transact,
    unscoped::{self, TokenOwner},
};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// Meta sends up to 3 MB.
const LIMIT: usize = 4 * 1024 * 1024;

/// Handshake: returns the challenge if the verify token is known. An address with too many wrong
/// tokens gets 429 even for a right one, or it could go on guessing.
pub(crate) async fn handshake(State(ctx): State<AppState>, request: Request) -> Response {
    let peer = request.extensions().get().map(|ClientAddress(address)| Subject::at(*address));
    if let Some(wait) = peer.and_then(|peer| ctx.http().handshakes.wait(peer, ctx.now())) {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait.to_string())]).into_response();
    }
    let response = shake(&ctx, request.uri().query().unwrap_or_default()).await;
    if response.status() == StatusCode::FORBIDDEN {
        peer.and_then(|peer| ctx.http().handshakes.count(peer, ctx.now()));
    }
    response
}

async fn shake(ctx: &AppState, query: &str) -> Response {
    let mut values = std::collections::HashMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        values.insert(name.into_owned(), value.into_owned());
    }
    let get = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    let token = get("hub.verify_token");
    let is_configured = ctx.verify_token.as_ref().is_some_and(|expected| {
        let expected = expected.expose_secret().as_bytes();
        !expected.is_empty() && bool::from(expected.ct_eq(token.as_bytes()))
    });
    // Stored tokens never contain NUL, and PostgreSQL refuses it.
    if get("hub.mode") != "subscribe" || token.is_empty() || token.contains('\0') {
        return refuse_handshake(ctx, "not a handshake of Meta");
    }
    match note_handshake(ctx, token).await {
        Ok(known) if known || is_configured => count_handshake("accepted"),
        Ok(_) => return refuse_handshake(ctx, "no number and no setting has this verify token"),
        Err(error) => {
            count_handshake("failed");
            tracing::error!(%error, "cannot store the webhook handshake");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    match values.get("hub.challenge") {
        // Never as HTML, because the caller controls the challenge.
        Some(challenge) => ([(header::CONTENT_TYPE, "text/plain")], challenge.clone()).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn count_handshake(result: &'static str) {
    metrics::counter!("chasqui_handshakes_total", "result" => result).increment(1);
}

/// The token is not logged: it may be a mistyped secret.
fn refuse_handshake(ctx: &AppState, why: &'static str) -> Response {
    count_handshake("refused");
    if let Some(left_out) = ctx.log_limit.admit(Uuid::nil(), "handshake", ctx.now()) {
        tracing::warn!(why, left_out, "webhook handshake refused");
    }
    StatusCode::FORBIDDEN.into_response()
}

/// True if a config has this verify token. Records the handshake at the configs of its project.
async fn note_handshake(ctx: &AppState, token: &str) -> store::Result<bool> {
    let owners = {
        let mut reader = ctx.store.read().await?;
        unscoped::of_verify_token(&mut reader.conn(), token).await?
    };
    if let Some(project) = project_of(&owners) {
        let now = ctx.now();
        transact!(ctx.store, "ingest.handshake", tx => {
            for config in unscoped::verify_numbers(tx, project, token, now).await? {
                number_proof::append_event(ctx, tx, project, config).await?;
            }
            Ok(())
        })?;
    }
    Ok(!owners.is_empty())
}

/// The one project that a handshake can be for: a project that receives messages precedes those
/// that do not. `None` if several have the token, because it does not show which one Meta means.
fn project_of(owners: &[TokenOwner]) -> Option<ProjectId> {
    let only = |receives: bool| {
        let mut projects = owners.iter().filter(|one| !receives || one.proof.receives()).map(|one| one.project_id);
        let first = projects.next()?;
        Some(projects.all(|project| project == first).then_some(first))
    };
    only(true).or_else(|| only(false)).flatten()
}

/// Receives a delivery. Its body is read only with a well-formed signature header, and within the
/// memory for bodies of unknown senders, which is in use until the delivery is stored.
pub(crate) async fn deliver(State(ctx): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let signature = parts.headers.get(signature::HEADER).and_then(|value| value.to_str().ok());
    if let Some(refusal) = refuse_unsigned(&ctx, signature) {
        return status(&refusal).into_response();
    }
    let (_memory, bytes) = match read(&ctx, body).await {
        Ok(read) => read,
        Err(ApiError::TooLarge(_)) => return refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Err(ApiError::Timeout) => return refused(StatusCode::REQUEST_TIMEOUT, "slow"),
        Err(ApiError::BodiesFull) => {
            let retry = [(header::RETRY_AFTER, "1")];
            return (retry, refused(StatusCode::SERVICE_UNAVAILABLE, "busy")).into_response();
        }
        Err(_) => return refused(StatusCode::BAD_REQUEST, "broken"),
    };
    status(&receive(&ctx, signature, bytes).await).into_response()
}

async fn read(ctx: &AppState, body: Body) -> Result<(Reserved, Bytes), ApiError> {
    let length = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if length.is_some_and(|length| length > LIMIT) {
        return Err(ApiError::TooLarge(LIMIT));
    }
    let memory = ctx.http().unverified.reserve(length.unwrap_or(LIMIT))?;
    let bytes = memory.receive(body, LIMIT).await?;
    Ok((memory, bytes))
}

const fn status(received: &Received) -> StatusCode {
    match received {
        Received::Stored => StatusCode::OK,
        Received::Unsigned => StatusCode::UNAUTHORIZED,
        Received::WrongSignature => StatusCode::FORBIDDEN,
        Received::Malformed => StatusCode::BAD_REQUEST,
        Received::Failed => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refused(status: StatusCode, result: &'static str) -> Response {
    metrics::counter!("chasqui_inbound_accepted_total", "result" => result).increment(1);
    status.into_response()
}
