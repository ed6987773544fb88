//! Scripted model: a server for OpenAI's chat completions with answers set by the test.
//!
//! It checks requests as a strict provider does: every tool call needs a result, and every result a
//! call.

use crate::dialects::{Dialect, Refused, stream};
use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

/// A running scripted model.
pub struct ScriptedModel {
    shared: Arc<Shared>,
    port: u16,
    serving: JoinHandle<()>,
}

struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Value>>,
    bodies: Mutex<Vec<String>>,
    complaints: Mutex<Vec<String>>,
    gate: Semaphore,
    responder: Option<fn(&Value) -> Value>,
    dialect: Option<&'static Dialect>,
    refused: Mutex<Vec<Refused>>,
    received: Mutex<Vec<Value>>,
    keys: Mutex<Vec<String>>,
    only_key: Mutex<Option<String>>,
    whole: AtomicBool,
}

struct Reply {
    status: u16,
    body: Value,
    gated: bool,
    retry_after: Option<u32>,
    /// The stream ends before the answer does.
    cut: bool,
}

impl ScriptedModel {
    /// Starts a model on a free port, with answers set by the test.
    pub async fn start() -> Self {
        Self::with(None, None).await
    }

    /// Starts a model that speaks a dialect: it refuses what the real server refuses.
    pub async fn speaking(dialect: &'static Dialect) -> Self {
        Self::with(None, Some(dialect)).await
    }

    /// Starts a model that answers every request with the rehearsal model.
    pub async fn rehearsing() -> Self {
        Self::with(Some(crate::wire::rehearse), None).await
    }

    /// Starts a model that answers every request with a function.
    pub async fn with_responder(responder: fn(&Value) -> Value) -> Self {
        Self::with(Some(responder), None).await
    }

    async fn with(responder: Option<fn(&Value) -> Value>, dialect: Option<&'static Dialect>) -> Self {
        let shared = Arc::new(Shared {
            replies: Mutex::default(),
            requests: Mutex::default(),
            bodies: Mutex::default(),
            complaints: Mutex::default(),
            gate: Semaphore::new(0),
            responder,
            dialect,
            refused: Mutex::default(),
            received: Mutex::default(),
            keys: Mutex::default(),
            only_key: Mutex::default(),
            whole: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new().fallback(complete).with_state(shared.clone());
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("the scripted model serves") });
        Self { shared, port, serving }
    }

    /// Value for `CHASQUI_LLM_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.shared.dialect.map_or("/v1", |dialect| dialect.path))
    }

    pub fn dialect(&self) -> Option<&'static Dialect> {
        self.shared.dialect
    }

    /// Refuses every other key from now on. For a model that speaks a dialect.
    pub fn accepts_only(&self, key: &str) {
        *self.shared.only_key.lock().expect("no panic") = Some(key.into());
    }

    /// Answers as a whole from now on, also where a stream is asked for.
    pub fn streams_nothing(&self) {
        self.shared.whole.store(true, Ordering::Relaxed);
    }

    /// Keys of all requests, oldest first; empty texts for requests without.
    pub fn keys(&self) -> Vec<String> {
        self.shared.keys.lock().expect("no panic").clone()
    }

    /// Requests that the dialect refused.
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.refused.lock().expect("no panic").clone()
    }

    /// Accepted requests in the form of the dialect, oldest first.
    pub fn received_bodies(&self) -> Vec<Value> {
        self.shared.received.lock().expect("no panic").clone()
    }

    /// Adds an answer with a text.
    pub fn says(&self, text: &str) {
        self.reply(200, json!({"role": "assistant", "content": text}), false);
    }

    /// Adds an answer with a text that is held until [`Self::release`].
    pub fn says_when_released(&self, text: &str) {
        self.reply(200, json!({"role": "assistant", "content": text}), true);
    }

    /// Adds an answer that calls tools, in order.
    pub fn calls(&self, calls: &[(&str, Value)]) {
        let calls: Vec<Value> = calls
            .iter()
            .enumerate()
            .map(|(place, (name, arguments))| {
                json!({"id": format!("c{place}"), "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
            })
            .collect();
        self.reply(200, json!({"role": "assistant", "content": null, "tool_calls": calls}), false);
    }

    /// Adds an answer with this assistant message; a held one waits for [`Self::release`].
    pub fn answers(&self, message: Value, held: bool) {
        self.reply(200, message, held);
    }

    /// Adds an answer whose stream ends in the middle.
    pub fn breaks_off(&self, text: &str) {
        let body = self.answer(&json!({"role": "assistant", "content": text}));
        self.queue(Reply { status: 200, body, gated: false, retry_after: None, cut: true });
    }

    /// Adds an error answer with a body.
    pub fn refuses(&self, status: u16, body: Value) {
        self.queue(Reply { status, body, gated: false, retry_after: None, cut: false });
    }

    /// Adds an error answer.
    pub fn fails(&self, status: u16) {
        self.fails_for(status, None);
    }

    /// Adds an error answer with a `Retry-After` header, in seconds.
    pub fn fails_for(&self, status: u16, retry_after: Option<u32>) {
        let body = json!({"error": {"message": "scripted failure"}});
        self.queue(Reply { status, body, gated: false, retry_after, cut: false });
    }

    /// Releases one held answer.
    pub fn release(&self) {
        self.shared.gate.add_permits(1);
    }

    /// Received requests, oldest first.
    pub fn requests(&self) -> Vec<Value> {
        self.shared.requests.lock().expect("no panic").clone()
    }

    /// Received requests as they came, byte for byte.
    pub fn bodies(&self) -> Vec<String> {
        self.shared.bodies.lock().expect("no panic").clone()
    }

    /// Waits for `count` requests.
    pub async fn received(&self, count: usize) {
        crate::until(|| async { self.requests().len() >= count }).await;
    }

    /// Contents of the last request's messages with this role. Texts of one role that follow each
    /// other are one message to a provider; here they are apart.
    pub fn last_texts(&self, role: &str) -> Vec<String> {
        let requests = self.requests();
        let messages = requests.last().and_then(|request| request["messages"].as_array().cloned()).unwrap_or_default();
        let of_role = messages.iter().filter(|message| message["role"] == role);
        let texts: Vec<&str> = of_role.flat_map(|message| crate::wire::texts(&message["content"])).collect();
        let texts = texts.into_iter();
        if role == "user" || role == "assistant" {
            return texts.flat_map(|text| text.split("\n\n")).map(str::to_owned).collect();
        }
        texts.map(str::to_owned).collect()
    }

    fn reply(&self, status: u16, message: Value, gated: bool) {
        let body = if status == 200 { self.answer(&message) } else { message };
        self.queue(Reply { status, body, gated, retry_after: None, cut: false });
    }

    fn answer(&self, message: &Value) -> Value {
        match self.shared.dialect {
            Some(dialect) => dialect.answer(message),
            None => completion(message),
        }
    }

    fn queue(&self, reply: Reply) {
        self.shared.replies.lock().expect("no panic").push_back(reply);
    }

    /// Requests that a strict provider would refuse, and requests without a scripted answer.
    pub fn complaints(&self) -> Vec<String> {
        self.shared.complaints.lock().expect("no panic").clone()
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.serving.abort();
        let complaints = self.complaints();
        let unused = self.shared.replies.lock().expect("no panic").len();
        if !std::thread::panicking() {
            assert!(complaints.is_empty(), "the scripted model received invalid requests: {complaints:#?}");
            assert_eq!(unused, 0, "unused scripted answers");
        }
    }
}

/// Key of a request, in the header of any provider.
fn key_of(headers: &HeaderMap) -> String {
    let names = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];
    let value = names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).unwrap_or_default();
    value.trim_start_matches("Bearer ").to_owned()
}

async fn complete(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let key = key_of(&headers);
    shared.keys.lock().expect("no panic").push(key.clone());
    if let (Some(dialect), Some(only)) = (shared.dialect, &*shared.only_key.lock().expect("no panic"))
        && *only != key
    {
        let (status, body) = dialect.key_refusal(&key);
        return (StatusCode::from_u16(status).expect("a status"), Json(body)).into_response();
    }
    if let (Some(dialect), Method::GET) = (shared.dialect, method) {
        return Json(dialect.models()).into_response();
    }
    let Ok(mut request) = serde_json::from_str::<Value>(&body) else {
        shared.complaints.lock().expect("no panic").push("a request is not JSON".into());
        return (StatusCode::BAD_REQUEST, "not JSON").into_response();
    };
    shared.bodies.lock().expect("no panic").push(body);
    let streamed = (request["stream"] == true || uri.path().ends_with(":streamGenerateContent"))
        && !shared.whole.load(Ordering::Relaxed);
    let options = json!({"stream_options": request["stream_options"]});
    let answer = |answer: &Value, cut: bool| {
        if streamed {
            let mut events = stream::body(shared.dialect, &options, answer);
            if cut {
                events.truncate(events.len() / 2);
            }
            return ([(CONTENT_TYPE, "text/event-stream")], events).into_response();
        }
        Json(answer).into_response()
    };
    if let Some(dialect) = shared.dialect {
        if let Some(refusal) = dialect.refusal(&request) {
            let status = StatusCode::from_u16(refusal.status).expect("a status");
            let response = (status, Json(refusal.body.clone())).into_response();
            shared.refused.lock().expect("no panic").push(refusal);
            return response;
        }
        let chat = dialect.as_chat(&request);
        shared.received.lock().expect("no panic").push(std::mem::replace(&mut request, chat));
    } else if let Err(complaint) = strict(&request) {
        shared.complaints.lock().expect("no panic").push(complaint);
    }
    let message = shared.responder.map(|respond| respond(&request));
    shared.requests.lock().expect("no panic").push(request);
    if let Some(message) = message {
        return answer(&completion(&message), false);
    }
    let reply = shared.replies.lock().expect("no panic").pop_front();
    let Some(reply) = reply else {
        shared.complaints.lock().expect("no panic").push("no answer was scripted for this request".into());
        return (StatusCode::BAD_REQUEST, "not scripted").into_response();
    };
    if reply.gated {
        shared.gate.acquire().await.expect("the gate is never closed").forget();
    }
    let mut response = if reply.status == 200 {
        answer(&reply.body, reply.cut)
    } else {
        (StatusCode::from_u16(reply.status).expect("a status"), Json(reply.body)).into_response()
    };
    if let Some(seconds) = reply.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn completion(message: &Value) -> Value {
    json!({"id": "x", "model": "scripted-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

fn strict(request: &Value) -> Result<(), String> {
    let messages = request["messages"].as_array().ok_or("no messages")?;
    let mut open: HashSet<String> = HashSet::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (place, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        let text = crate::wire::texts(&message["content"]).concat();
        if role == "system" && place > 0 {
            return Err(format!("message {place} is a second system prompt"));
        }
        let called = message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
        if role != "tool" && text.trim().is_empty() && !called {
            return Err(format!("message {place} is empty: {message}"));
        }
        if role == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            if !open.remove(id) {
                return Err(format!("message {place} answers no open call: {message}"));
            }
            continue;
        }
        if !open.is_empty() {
            return Err(format!("message {place} comes before the results of {open:?}"));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().unwrap_or_default().to_owned();
            if !seen.insert(id.clone()) {
                return Err(format!("call id {id} is used twice"));
            }
            if !is_name(&call["function"]["name"]) {
                return Err(format!("the tool name of call {call} is invalid"));
            }
            if call["function"]["arguments"].as_str().is_none_or(|text| serde_json::from_str::<Value>(text).is_err()) {
                return Err(format!("arguments of {id} are not JSON text"));
            }
            open.insert(id);
        }
    }
    let mut offered = HashSet::new();
    for tool in request["tools"].as_array().into_iter().flatten() {
        let function = &tool["function"];
        if !is_name(&function["name"]) || !offered.insert(function["name"].to_string()) {
            return Err(format!("a tool's name is invalid or used twice: {tool}"));
        }
        if function["parameters"]["type"] != "object" {
            return Err(format!("a tool's parameters are not an object: {tool}"));
        }
    }
    if messages.iter().all(|message| message["role"] == "system") {
        return Err("there is no message to answer".into());
    }
    if open.is_empty() { Ok(()) } else { Err(format!("calls without results: {open:?}")) }
}

fn is_name(name: &Value) -> bool {
    let name = name.as_str().unwrap_or_default();
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_a_strict_provider_refuses_are_complaints() {
        let call = |id: &str, name: &str| json!({"id": id, "function": {"name": name, "arguments": "{}"}});
        let calls = |calls: Value| json!({"role": "assistant", "tool_calls": calls});
        let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "1"});
        let (system, user) = (json!({"role": "system", "content": "s"}), json!({"role": "user", "content": "u"}));
        let fine =
            json!([system, user, calls(json!([call("a", "t"), call("b", "t")])), result("b"), result("a"), user]);
        assert_eq!(
            strict(
                &json!({"messages": fine, "tools": [{"function": {"name": "t", "parameters": {"type": "object"}}}]})
            ),
            Ok(())
        );
        for wrong in [
            json!([system]),
            json!([user, system]),
            json!([user, {"role": "user", "content": " "}]),
            json!([user, {"role": "assistant", "content": null}]),
            json!([user, calls(json!([call("a", "t")]))]),
            json!([user, calls(json!([call("a", "t")])), user, result("a")]),
            json!([user, result("a")]),
            json!([user, calls(json!([call("a", "t")])), result("a"), result("a")]),
            json!([user, calls(json!([call("a", "t")])), result("a"), calls(json!([call("a", "t")])), result("a")]),
            json!([user, calls(json!([call("a", "no name")])), result("a")]),
        ] {
            assert!(strict(&json!({"messages": wrong})).is_err(), "{wrong}");
        }
        let twice = json!({"function": {"name": "t", "parameters": {"type": "object"}}});
        for tools in [json!([twice, twice]), json!([{"function": {"name": "t", "parameters": {}}}])] {
            assert!(strict(&json!({"messages": [user], "tools": tools})).is_err(), "{tools}");
        }
    }
}
