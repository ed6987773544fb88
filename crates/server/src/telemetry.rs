//! Logs, metrics and request ids.

use crate::{
    ApiError, AppState,
    api::{client_address::ClientAddress, facts::RequestFacts},
    error::Failure,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use runtime::metric_table::{METRICS, MetricKind};
use std::{
    io::IsTerminal as _,
    sync::{Arc, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// Time limit of a request, including its body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts logging once per process; later calls change nothing. A `json:` prefix of the filter
/// selects JSON lines.
pub fn init(log: &str) {
    let (json, filter) = log.strip_prefix("json:").map_or((false, log), |filter| (true, filter));
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(has_colour());
    // A second start in one process, as in tests, keeps the first logger.
    let _ = if json { builder.json().try_init() } else { builder.compact().try_init() };
}

/// Colour codes in a file or a journal are noise. `NO_COLOR` is a convention (no-color.org).
fn has_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Metrics of the process, shared by all its servers.
pub(crate) fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = recorder();
            let handle = recorder.handle();
            // Fails only for a second recorder, which `OnceLock` prevents.
            let _ = metrics::set_global_recorder(recorder);
            describe();
            handle
        })
        .clone()
}

/// Builds the metrics recorder.
pub fn recorder() -> PrometheusRecorder {
    let seconds = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds);
    builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder()
}

/// HELP texts.
fn describe() {
    for metric in &METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Unknown methods share one label: each would add a set of time series.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// Header limits of docs/spec/reliability.md 11. The HTTP library refuses much larger headers
/// itself.
fn too_many_headers(request: &Request) -> bool {
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let line = request.uri().path_and_query().map_or(0, |line| line.as_str().len());
    headers.len() > 64 || line + bytes > 16 * 1024
}

/// True for answers that may show keys, tokens or what a key gives access to.
fn is_private(path: &str) -> bool {
    ["/api/", "/app/api/", "/cli/", "/setup/"].iter().any(|start| path.starts_with(start))
}

/// No browser guesses the type of an answer, and none keeps a private one.
fn protect(headers: &mut HeaderMap, is_private: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Gives each request an id, measures it, and writes errors in the common shape.
pub(crate) async fn request(State(ctx): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = ctx.new_uuid().to_string();
    let line = format!("{} {}", request.method(), request.uri());
    let facts = Arc::new(RequestFacts { request_id: id.clone(), line, ..RequestFacts::default() });
    request.extensions_mut().insert(facts.clone());
    let client = request.extensions().get().map(|ClientAddress(address)| *address);
    let is_private = is_private(request.uri().path());
    let began = Instant::now();
    let method = method_label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let mut response = if too_many_headers(&request) {
        ApiError::Headers.into_response()
    } else if !ctx.allows_host(request.headers().get(header::HOST)) {
        ApiError::Host.into_response()
    } else {
        // No handler takes this long, so this ends slow senders.
        let done = tokio::time::timeout(PATIENCE, next.run(request)).await;
        done.unwrap_or_else(|_| ApiError::Timeout.into_response())
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.response(&id, |cause| ctx.log_limit.admit(Uuid::nil(), cause, ctx.now()));
    }
    if let Some(window) = *facts.window.lock().unwrap_or_else(PoisonError::into_inner) {
        window.write(response.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    protect(response.headers_mut(), is_private);
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    metrics::histogram!("chasqui_http_request_seconds", "route" => route.clone(), "method" => method).record(seconds);
    tracing::debug!(request_id = %id, method, route, status, ?client, ms = seconds * 1_000.0, "request");
    response
}
