//! Routes of the control API.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, patch, post, put},
};

use super::{
    accounts, actions, chats, clock, echo, error::ControlError, events, faults, inbound, media, requests, users,
    webhooks, world,
};
use crate::driver::Driver;

/// Size of Meta's largest webhooks, which raw webhooks may have.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Limit for a file in base64.
const FILE_LIMIT: usize = 140 * 1024 * 1024;

/// Builds the routes, relative to `/_emulator/v1`.
pub(crate) fn router() -> Router<Arc<Driver>> {
    Router::new()
        .route("/health", get(world::health))
        .route("/state", get(world::state))
        .route("/reset", post(world::reset))
        .route("/limits", get(world::limits).put(world::set_limits))
        .route("/clock", get(clock::read).post(clock::set))
        .route("/quiesce", post(clock::quiesce))
        .route("/users/{key}", get(users::find).put(users::put))
        .route("/users/{key}/read", post(users::read))
        .route("/users/{key}/change_number", post(actions::change_number))
        .route("/users/{key}/{action}", post(actions::act))
        .route("/inbound/media", post(media::add).layer(DefaultBodyLimit::max(FILE_LIMIT)))
        .route("/inbound", post(inbound::receive))
        .route("/echo", post(echo::write))
        .route("/chats/{number}/{key}", get(chats::find))
        .route("/messages/{wamid}/status", post(chats::force_status))
        .route("/templates", get(accounts::templates))
        .route("/templates/approval", put(accounts::approval))
        .route("/templates/{id}/decision", post(accounts::decide))
        .route("/phone_numbers/{id}", patch(accounts::change_number))
        .route("/account_update", post(accounts::account_update))
        .route("/tokens", post(accounts::add_token))
        .route("/tokens/{id}/expire", post(accounts::expire_token))
        .route("/webhooks/raw", post(webhooks::raw))
        .route("/webhooks/deliveries", get(webhooks::list))
        .route("/webhooks/deliveries/{id}/redeliver", post(webhooks::redeliver))
        .route("/webhooks/flush", post(webhooks::flush))
        .route("/webhooks/config", put(webhooks::configure))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", delete(faults::remove))
        .route("/requests", get(requests::list))
        .route("/events", get(events::listen))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

async fn no_route() -> ControlError {
    ControlError::not_found("control call not found")
}

async fn no_method() -> ControlError {
    ControlError::bad_request("method not allowed for this control call")
}
