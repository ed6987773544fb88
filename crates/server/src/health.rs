//! Liveness, readiness, deep health and metrics.

use crate::{AppState, state::Probe};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::Span;
use serde_json::json;
use std::time::{Duration, Instant};
use store::transact;

/// Time limit of a trial write.
const LONGEST_WRITE: Duration = Duration::from_secs(1);
/// A trial write answers all requests of this time: anybody can send them.
const PROBE_LIFETIME: Span = Span::from_secs(1);
/// Due work is counted at most this often, however often metrics are read.
const QUEUES_LIFETIME: Span = Span::from_secs(5);

/// Liveness: the process answers.
pub(crate) async fn live() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// Readiness: the database accepts a write.
pub(crate) async fn ready(State(ctx): State<AppState>) -> Response {
    match probe(&ctx).await {
        Ok(_) => Json(json!({"status": "ok", "database": ctx.store.engine_name()})).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable"}))).into_response(),
    }
}

/// Readiness with details, for operators only.
pub(crate) async fn deep(State(ctx): State<AppState>) -> Response {
    let probe = probe(&ctx).await;
    let (status, word) =
        if probe.is_ok() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "failed") };
    let (write_ms, error) = match probe {
        Ok(took) => (Some(took.as_secs_f64() * 1_000.0), None),
        Err(error) => (None, Some(error)),
    };
    let model = ctx.model.describe();
    let version = ctx.http().graph_version();
    let support = version.support(ctx.now());
    let body = json!({
        "status": if status == StatusCode::OK { "ok" } else { "unavailable" },
        "version": env!("CARGO_PKG_VERSION"),
        "node": ctx.node,
        "database": {"status": word, "engine": ctx.store.engine_name(), "write_ms": write_ms, "error": error},
        "model": {"provider": model.provider, "model": model.model},
        "graph_api": {
            "version": version.to_string(),
            "ends": support.ends(),
            "warning": support.needs_change().then(|| support.to_string()),
        },
    });
    (status, Json(body)).into_response()
}

/// Writes to the database, at most once a second. Requests that arrive meanwhile wait for the
/// result.
async fn probe(ctx: &AppState) -> Probe {
    let mut last = ctx.http().last_probe.lock().await;
    let now = ctx.now();
    if let Some((at, probe)) = &*last
        && (*at..*at + PROBE_LIFETIME).contains(&now)
    {
        return probe.clone();
    }
    let began = Instant::now();
    let write = async {
        transact!(ctx.store, "health", tx => store::projects::insert(tx, runtime::context::PLATFORM_PROJECT, "sandbox", now).await)
    };
    let probe = match tokio::time::timeout(LONGEST_WRITE, write).await {
        Ok(Ok(())) => Ok(began.elapsed()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the database took longer than a second".to_owned()),
    };
    if let Err(why) = &probe {
        tracing::warn!(why, "not ready");
    }
    *last = Some((now, probe.clone()));
    probe
}

/// Metrics in Prometheus's text format.
pub(crate) async fn metrics(State(ctx): State<AppState>) -> Response {
    if let Err(error) = measure_queues(&ctx).await
        && let Some(left_out) = ctx.log_limit.admit(uuid::Uuid::nil(), "queues", ctx.now())
    {
        tracing::warn!(%error, left_out, "cannot count due work");
    }
    ([("content-type", "text/plain; version=0.0.4")], ctx.http().metrics.render()).into_response()
}

/// Counts due work, at most once in [`QUEUES_LIFETIME`].
async fn measure_queues(ctx: &AppState) -> store::Result<()> {
    let mut last = ctx.http().queues_measured.lock().await;
    let now = ctx.now();
    if last.is_some_and(|at| (at..at + QUEUES_LIFETIME).contains(&now)) {
        return Ok(());
    }
    *last = Some(now);
    for (work, used) in ctx.slots.used() {
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        metrics::gauge!("chasqui_slots_used", "work" => work).set(used as f64);
    }
    let queues = store::unscoped::queues(&mut ctx.store.read().await?.conn(), now).await?;
    for queue in queues {
        let age = queue.oldest.map_or(0, |oldest| now.micros().saturating_sub(oldest.micros()));
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        let (due, age) = (queue.due as f64, age as f64 / 1e6);
        metrics::gauge!("chasqui_queue_due", "queue" => queue.name).set(due);
        metrics::gauge!("chasqui_queue_oldest_seconds", "queue" => queue.name).set(age);
    }
    Ok(())
}
