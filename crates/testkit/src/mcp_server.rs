//! MCP server for tests, with configurable tools and answers. It records calls. It speaks
//! streamable HTTP, and the old HTTP with server-sent events at another path.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{RawQuery, State as AxumState},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures::{StreamExt as _, channel::mpsc, future, stream};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running MCP server.
pub struct McpServer {
    shared: Shared,
    port: u16,
    serving: JoinHandle<()>,
}

type Shared = Arc<Mutex<State>>;

#[derive(Default)]
struct State {
    tools: Vec<Value>,
    answers: HashMap<String, Value>,
    down: bool,
    calls: Vec<McpCall>,
    lists: usize,
    headers: HeaderMap,
    /// Open sessions. Those of the old transport have a stream for answers.
    sessions: HashMap<String, Option<mpsc::UnboundedSender<Value>>>,
    opened: usize,
    /// Requests of this method get no answer.
    hold: Option<String>,
    held: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct McpCall {
    /// Name on this server.
    pub tool: String,

    pub arguments: Value,
    /// Value of the header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

impl McpServer {
    /// Starts the server on a free port, without tools.
    pub async fn start() -> Self {
        let shared = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new()
            .route("/mcp", post(answer_post).delete(end_session))
            .route("/sse", get(open_stream))
            .route("/messages", post(answer_on_stream))
            .with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("the MCP server serves") });
        Self { shared, port, serving }
    }

    /// URL for streamable HTTP.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// URL for the old HTTP with server-sent events.
    pub fn sse_url(&self) -> String {
        format!("http://127.0.0.1:{}/sse", self.port)
    }

    /// Sets the listed tools: objects with `name`, `description` and `inputSchema`.
    pub fn set_tools(&self, tools: Vec<Value>) {
        self.lock().tools = tools;
    }

    /// Sets the answer to calls of a tool: an object with `content`, and `structuredContent` or
    /// `isError`. A listed tool without an answer returns `done`.
    pub fn answer(&self, tool: &str, result: Value) {
        self.lock().answers.insert(tool.to_owned(), result);
    }

    /// While the server is down, every request is answered with 503.
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// Holds back the answers to requests of this method, `tools/list` or `tools/call`.
    pub fn hold(&self, method: &str) {
        let mut all = self.lock();
        all.hold = Some(method.to_owned());
        all.held = 0;
    }

    /// Number of requests that are held back.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    /// Ends the hold for later requests.
    pub fn release(&self) {
        self.lock().hold = None;
    }

    /// Received calls, oldest first.
    pub fn calls(&self) -> Vec<McpCall> {
        self.lock().calls.clone()
    }

    /// Number of tool list requests.
    pub fn lists(&self) -> usize {
        self.lock().lists
    }

    /// Headers of the latest request, except those that end a session.
    pub fn headers(&self) -> HeaderMap {
        self.lock().headers.clone()
    }

    pub fn open_sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().expect("no panic")
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn open(&mut self, stream: Option<mpsc::UnboundedSender<Value>>) -> String {
        self.opened += 1;
        let id = format!("session-{}", self.opened);
        self.sessions.insert(id.clone(), stream);
        id
    }

    /// Answers a message; `None` for a notification.
    fn answer_to(&mut self, message: &Value, headers: &HeaderMap) -> Option<Value> {
        let params = &message["params"];
        let outcome = match message["method"].as_str().unwrap_or_default() {
            "initialize" => Ok(json!({"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "testkit", "version": "1"}})),
            "tools/list" => {
                self.lists += 1;
                Ok(json!({"tools": self.tools}))
            }
            "tools/call" => self.call(params, headers),
            "ping" => Ok(json!({})),
            _ => Err(json!({"code": -32601, "message": "Method not found"})),
        };
        let id = message.get("id")?;
        Some(match outcome {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        })
    }

    fn call(&mut self, params: &Value, headers: &HeaderMap) -> Result<Value, Value> {
        let tool = params["name"].as_str().unwrap_or_default().to_owned();
        let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        let arguments = params["arguments"].clone();
        self.calls.push(McpCall { tool: tool.clone(), arguments, idempotency_key: key.map(str::to_owned) });
        match self.answers.get(&tool) {
            Some(result) => Ok(result.clone()),
            None if self.tools.iter().any(|listed| listed["name"] == tool.as_str()) => {
                Ok(json!({"content": [{"type": "text", "text": "done"}]}))
            }
            None => Err(json!({"code": -32602, "message": format!("Unknown tool: {tool}")})),
        }
    }

    /// Stores the headers of a request, and refuses it while the server is down.
    fn admit(&mut self, headers: &HeaderMap) -> Result<(), StatusCode> {
        self.headers = headers.clone();
        if self.down { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(()) }
    }
}

fn message_of(body: &Bytes) -> Result<Value, StatusCode> {
    serde_json::from_slice(body).map_err(|_| StatusCode::BAD_REQUEST)
}

fn session_of(headers: &HeaderMap) -> String {
    headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

async fn answer_post(
    AxumState(shared): AxumState<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let (answer, held) = answer_at_once(&shared, &headers, &body)?;
    if held {
        future::pending::<()>().await;
    }
    Ok(answer)
}

/// The answer, and true if it is held back.
fn answer_at_once(shared: &Shared, headers: &HeaderMap, body: &Bytes) -> Result<(Response, bool), StatusCode> {
    let mut all = shared.lock().expect("no panic");
    all.admit(headers)?;
    let message = message_of(body)?;
    let session = if message["method"] == "initialize" { all.open(None) } else { session_of(headers) };
    if !all.sessions.contains_key(&session) {
        return Err(StatusCode::NOT_FOUND);
    }
    let answer = match all.answer_to(&message, headers) {
        Some(answer) => ([("mcp-session-id", session)], Json(answer)).into_response(),
        None => StatusCode::ACCEPTED.into_response(),
    };
    let held = all.hold.as_deref().is_some_and(|method| message["method"] == method);
    all.held += usize::from(held);
    Ok((answer, held))
}

async fn end_session(AxumState(shared): AxumState<Shared>, headers: HeaderMap) -> Result<StatusCode, StatusCode> {
    let ended = shared.lock().expect("no panic").sessions.remove(&session_of(&headers));
    ended.map(|_| StatusCode::NO_CONTENT).ok_or(StatusCode::NOT_FOUND)
}

async fn open_stream(AxumState(shared): AxumState<Shared>, headers: HeaderMap) -> Result<Response, StatusCode> {
    let (sender, receiver) = mpsc::unbounded();
    let mut all = shared.lock().expect("no panic");
    all.admit(&headers)?;
    let id = all.open(Some(sender));
    let endpoint = Event::default().event("endpoint").data(format!("/messages?{id}"));
    let session = StreamSession { shared: shared.clone(), id };
    let answers = receiver.map(move |answer| {
        // Moved into the closure, so that the session ends with the stream.
        let _ends_with = &session;
        Event::default().event("message").data(answer.to_string())
    });
    Ok(Sse::new(stream::iter([endpoint]).chain(answers).map(Ok::<_, Infallible>)).into_response())
}

struct StreamSession {
    shared: Shared,
    id: String,
}

impl Drop for StreamSession {
    fn drop(&mut self) {
        self.shared.lock().expect("no panic").sessions.remove(&self.id);
    }
}

async fn answer_on_stream(
    AxumState(shared): AxumState<Shared>,
    RawQuery(session): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let mut all = shared.lock().expect("no panic");
    all.admit(&headers)?;
    let message = message_of(&body)?;
    let stream = all.sessions.get(&session.unwrap_or_default()).cloned().flatten();
    let stream = stream.ok_or(StatusCode::NOT_FOUND)?;
    if let Some(answer) = all.answer_to(&message, &headers) {
        stream.unbounded_send(answer).map_err(|_| StatusCode::GONE)?;
    }
    Ok(StatusCode::ACCEPTED)
}
