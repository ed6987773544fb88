//! All routes. Each resource folder has one list that makes both its routes and its part of the
//! document.

use crate::{
    ApiError, AppState,
    api::roles::Operations,
    assets, docs, health, media, phone,
    resources::{cli, setup_page},
    telemetry, webhooks,
};
use axum::{
    Extension, Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The application without a port, as served by [`crate::build`].
pub fn router(ctx: AppState) -> Router {
    let (api, document) = docs::api().split_for_parts();
    let (app, _) = docs::app_api().split_for_parts();
    api.layer(Extension(Arc::new(Operations::of(&document))))
        .merge(app)
        .merge(docs::routes())
        .merge(assets::routes())
        .merge(phone::routes(&ctx))
        .route("/cli/authorize/{code}", get(cli::authorize))
        .route("/setup/style.css", get(setup_page::plain_style))
        .route("/setup/{token}", get(setup_page::show).post(setup_page::connect))
        .route("/setup/return", get(setup_page::complete_sign_up))
        .route("/setup/{token}/meta", post(setup_page::begin_sign_up))
        .route("/setup/{token}/numbers", get(setup_page::numbers).post(setup_page::choose))
        .route("/setup/{token}/style.css", get(setup_page::style))
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
