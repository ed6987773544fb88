//! All routes. Each resource folder has one list that makes both its routes and its part of the
//! document.

use crate::{ApiError, AppState, docs, health, media, resources::cli, telemetry, webhooks};
use axum::{Router, middleware::from_fn_with_state, routing::get};
use tower_http::catch_panic::CatchPanicLayer;

/// The application without a port, as served by [`crate::build`].
pub fn router(ctx: AppState) -> Router {
    let (api, _) = docs::api().split_for_parts();
    api.merge(docs::routes())
        .route("/cli/authorize/{code}", get(cli::authorize))
        .route("/media/{link}", get(media::serve))
        .route("/webhooks/whatsapp", get(webhooks::handshake).post(webhooks::deliver))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .method_not_allowed_fallback(async || ApiError::Method)
        .fallback(async || ApiError::NoRoute)
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn std::any::Any + Send>| {
            metrics::counter!("chasqui_panics_total").increment(1);
            axum::response::IntoResponse::into_response(ApiError::Internal("a handler panicked".into()))
        }))
        .layer(from_fn_with_state(ctx.clone(), telemetry::request))
        .with_state(ctx)
}

/// Routes of the operations listener: no key protects them, so they have an address of their own.
pub(crate) fn operations(ctx: AppState) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .route("/health/deep", get(health::deep))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(ctx)
}
