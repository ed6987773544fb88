//! HTTP service that agents' webhook tools call in tests. It records requests and answers as
//! configured. `{"redirect": url}` redirects the caller; `{"hold": true}` gives no answer;
//! `{"drop": true}` closes the connection without one.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header::LOCATION},
    response::IntoResponse as _,
};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::{net::TcpListener, task::JoinHandle};

type Answer = dyn Fn(&Request) -> (u16, Value) + Send + Sync;

/// A running service.
pub struct Service {
    shared: Arc<Shared>,
    port: u16,
    serving: JoinHandle<()>,
}

struct Shared {
    requests: Mutex<Vec<Request>>,
    answer: Box<Answer>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// JSON; null for other bodies.
    pub body: Value,
    /// The body's bytes as received.
    pub raw: Bytes,
    pub headers: HeaderMap,
    /// Value of the header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Token of the header `Authorization`.
    pub bearer: Option<String>,
    pub received: Instant,
}

impl Service {
    /// Starts the service on a free port; every status is 200.
    pub async fn start(answer: impl Fn(&Request) -> Value + Send + Sync + 'static) -> Self {
        Self::start_with(move |request| (200, answer(request))).await
    }

    /// Starts the service on a free port, with answers that have a status.
    pub async fn start_with(answer: impl Fn(&Request) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { requests: Mutex::default(), answer: Box::new(answer) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new().fallback(serve).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("the service serves") });
        Self { shared, port, serving }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Received requests, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no panic").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let request = Request {
        method,
        path: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        idempotency_key: key.map(str::to_owned),
        bearer: bearer.map(str::to_owned),
        received: Instant::now(),
        raw: body,
        headers: headers.clone(),
    };
    let (status, answer) = (shared.answer)(&request);
    shared.requests.lock().expect("no panic").push(request);
    if answer.get("hold") == Some(&Value::Bool(true)) {
        std::future::pending::<()>().await;
    }
    if answer.get("drop") == Some(&Value::Bool(true)) {
        // Ends the connection's task, without the report of a panic.
        std::panic::resume_unwind(Box::new("dropped"));
    }
    match answer.get("redirect").and_then(Value::as_str) {
        Some(url) => (StatusCode::FOUND, [(LOCATION, url.to_owned())]).into_response(),
        None => (StatusCode::from_u16(status).expect("a status"), Json(answer)).into_response(),
    }
}
