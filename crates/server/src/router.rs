//! All routes. A group of the API stands in its own folder, where one list makes both its routes and its part of the document.

use crate::{ApiError, AppState, api, docs, health, media, resources::*, telemetry, webhooks};
use axum::{Router, middleware::from_fn_with_state, routing::get};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

/// The API, in order of name.
fn api() -> OpenApiRouter<AppState> {
    let groups = OpenApiRouter::new()
        .merge(agent_snapshots::routes())
        .merge(agent_whatsapp_configs::routes())
        .merge(agents::routes())
        .merge(contact_notes::routes())
        .merge(contacts::routes())
        .merge(conversation_assignments::routes())
        .merge(conversation_executions::routes())
        .merge(conversations::routes())
        .merge(customers::routes())
        .merge(executions::routes())
        .merge(messages::routes())
        .merge(projects::routes())
        .merge(sandbox_sessions::routes())
        .merge(secrets::routes())
        .merge(test_cases::routes())
        .merge(test_chats::routes())
        .merge(test_runs::routes())
        .merge(test_suites::routes())
        .merge(whatsapp_configs::routes())
        .merge(whatsapp_templates::routes());
    OpenApiRouter::new().nest("/api/v1", groups).nest("/api/cli", cli::routes())
}

/// The OpenAPI document of the API.
pub fn openapi() -> Value {
    api::document::of(&api().into_openapi())
}

/// The application without a port: what [`crate::build`] serves.
pub fn router(ctx: AppState) -> Router {
    let (api, _) = api().split_for_parts();
    api.merge(docs::routes())
        .route("/cli/authorize/{code}", get(cli::authorize))
        .route("/media/{link}", get(media::serve))
        .route("/webhooks/whatsapp", get(webhooks::handshake).post(webhooks::deliver))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(async || ApiError::Method)
        .fallback(async || ApiError::NoRoute)
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn std::any::Any + Send>| {
            metrics::counter!("panics_total").increment(1);
            axum::response::IntoResponse::into_response(ApiError::Internal("a handler panicked".into()))
        }))
        .layer(from_fn_with_state(ctx.clone(), telemetry::request))
        .with_state(ctx)
}
