//! All routes, each on one line.

use crate::{ApiError, Context, health, ingest, resources::*, telemetry};
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

/// The application.
pub(crate) fn router(ctx: Context) -> Router {
    let api = Router::new()
        .route("/agents", get(agents::list::handle).post(agents::create::handle))
        .route("/agents/{agent_id}", get(agents::get::handle).patch(agents::update::handle))
        .route("/agents/{agent_id}/graph", get(agents::graph::handle))
        .route("/agents/{agent_id}/executions", get(executions::list::handle).post(executions::create::handle))
        .route("/agents/{agent_id}/executions/{execution_id}", get(executions::get::handle))
        .route("/agents/{agent_id}/executions/{execution_id}/resume", post(executions::resume::handle))
        .route("/whatsapp_conversations", get(conversations::list::handle))
        .route("/whatsapp_conversations/{conversation_id}", get(conversations::get::handle))
        .route(
            "/whatsapp_conversations/{conversation_id}/whatsapp_messages",
            get(messages::list::handle).post(messages::create::handle),
        )
        .route("/sandbox_sessions", get(sandbox_sessions::list::handle).post(sandbox_sessions::create::handle))
        .route("/sandbox_sessions/{id}", get(sandbox_sessions::get::handle))
        .method_not_allowed_fallback(async || ApiError::Method);
    Router::new()
        .nest("/api/v1", api)
        .route("/webhooks/whatsapp", get(ingest::handshake).post(ingest::deliver))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(async || ApiError::NoRoute)
        .layer(CatchPanicLayer::custom(|_panic: Box<dyn std::any::Any + Send>| {
            metrics::counter!("panics_total").increment(1);
            axum::response::IntoResponse::into_response(ApiError::Internal("a handler panicked".into()))
        }))
        .layer(from_fn_with_state(ctx.clone(), telemetry::request))
        .with_state(ctx)
}
