//! Liveness, readiness and metrics.

use crate::AppState;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use store::transact;

/// Liveness: the process answers.
pub(crate) async fn live() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// Readiness: the database accepts a write.
pub(crate) async fn ready(State(ctx): State<AppState>) -> Response {
    let write = async {
        transact!(ctx.store, "health", tx => store::projects::insert(tx, runtime::context::PLATFORM_PROJECT, "sandbox", ctx.now()).await)
    };
    match tokio::time::timeout(std::time::Duration::from_secs(1), write).await {
        Ok(Ok(())) => Json(json!({"status": "ok", "database": ctx.store.engine_name()})).into_response(),
        Ok(Err(error)) => unready(&error.to_string()),
        Err(_) => unready("the database took longer than a second"),
    }
}

fn unready(why: &str) -> Response {
    tracing::warn!(why, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable"}))).into_response()
}

/// Metrics in Prometheus's text format.
pub(crate) async fn metrics(State(ctx): State<AppState>) -> Response {
    ([("content-type", "text/plain; version=0.0.4")], ctx.http().metrics.render()).into_response()
}
