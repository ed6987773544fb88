//! Stand-ins for Meta and the model, with configurable response times.
//!
//! A turn's number is `#N` in the customer's text. The model repeats it in the answer, so the
//! message that arrives at Meta identifies its turn.

use crate::webhook;
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::oneshot};

/// Meta and the model; clones share state.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    url: String,
    /// URL that receives statuses.
    server: Mutex<String>,
    http: reqwest::Client,
    waiting: Mutex<HashMap<u64, Waiting>>,
    model_delay_ms: AtomicU64,
    meta_delay_ms: AtomicU64,
    statuses: AtomicUsize,
    /// Pieces of a streamed answer; 0 answers at once.
    pieces: AtomicUsize,
    /// Messages outside turns: the sandbox's welcome messages.
    others: AtomicUsize,
    /// Webhooks of the server.
    hooks: AtomicUsize,
    /// Messages for a finished or unknown turn.
    duplicate_answers: AtomicUsize,
    wamid: AtomicU64,
}

struct Waiting {
    model: Duration,
    reply: oneshot::Sender<Reply>,
}

/// End of a turn.
pub struct Reply {
    /// Arrival of its message at Meta.
    pub at: Instant,
    /// Time taken by the model.
    pub model: Duration,
}

impl World {
    /// Starts both on one free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let shared = Shared {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            server: Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            waiting: Mutex::default(),
            model_delay_ms: AtomicU64::new(0),
            meta_delay_ms: AtomicU64::new(0),
            statuses: AtomicUsize::new(0),
            pieces: AtomicUsize::new(0),
            others: AtomicUsize::new(0),
            hooks: AtomicUsize::new(0),
            duplicate_answers: AtomicUsize::new(0),
            wamid: AtomicU64::new(0),
        };
        let world = Self(Arc::new(shared));
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/hook", post(count_hook))
            .route("/{version}/{number}/messages", post(accept))
            .with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("Meta and the model serve") });
        world
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The client that all webhooks go through.
    pub fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Sets the server that receives statuses.
    pub fn serve(&self, server: &str) {
        server.clone_into(&mut self.0.server.lock().expect("no panic"));
    }

    /// Sets the response times of model and Meta, and the number of statuses after a message.
    pub fn set_response_times(&self, model_ms: u64, meta_ms: u64, statuses: usize) {
        self.0.model_delay_ms.store(model_ms, Relaxed);
        self.0.meta_delay_ms.store(meta_ms, Relaxed);
        self.0.statuses.store(statuses, Relaxed);
    }

    /// Streams the model's answers in this many pieces; 0 for whole answers.
    pub fn stream_in(&self, pieces: usize) {
        self.0.pieces.store(pieces, Relaxed);
    }

    /// Waits for the message that ends a turn.
    pub fn expect(&self, turn: u64) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        self.0.waiting.lock().expect("no panic").insert(turn, Waiting { model: Duration::ZERO, reply });
        receiver
    }

    /// Number of messages outside turns.
    pub fn others(&self) -> usize {
        self.0.others.load(Relaxed)
    }

    /// Number of webhooks of the server.
    pub fn hooks(&self) -> usize {
        self.0.hooks.load(Relaxed)
    }

    /// Number of messages for finished turns: duplicate answers.
    pub fn duplicate_answers(&self) -> usize {
        self.0.duplicate_answers.load(Relaxed)
    }

    /// Creates a message id.
    pub fn wamid(&self) -> String {
        static RUN: OnceLock<u128> = OnceLock::new();
        let run = RUN.get_or_init(|| std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros()));
        format!("wamid.{run}.{}", self.0.wamid.fetch_add(1, Relaxed))
    }

    fn arrived(&self, text: &str) {
        let Some(turn) = number(text) else {
            self.0.others.fetch_add(1, Relaxed);
            return;
        };
        match self.0.waiting.lock().expect("no panic").remove(&turn) {
            // The waiting task may be gone.
            Some(waiting) => drop(waiting.reply.send(Reply { at: Instant::now(), model: waiting.model })),
            None => drop(self.0.duplicate_answers.fetch_add(1, Relaxed)),
        }
    }
}

/// Number after the last `#`.
fn number(text: &str) -> Option<u64> {
    text.rsplit_once('#')?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn count_hook(State(world): State<World>) {
    world.0.hooks.fetch_add(1, Relaxed);
}

async fn complete(State(world): State<World>, Json(request): Json<Value>) -> Response {
    let began = Instant::now();
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let turn = messages
        .iter()
        .rev()
        .filter(|message| message["role"] == "user")
        .find_map(|message| number(message["content"].as_str()?));
    let delay = world.0.model_delay_ms.load(Relaxed);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let turn = turn.unwrap_or_default();
    if let Some(waiting) = world.0.waiting.lock().expect("no panic").get_mut(&turn) {
        waiting.model += began.elapsed();
    }
    let text = format!("Yes, it is on its way. #{turn}");
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5});
    let pieces = world.0.pieces.load(Relaxed);
    if pieces > 0 && request["stream"] == true {
        return ([("content-type", "text/event-stream")], streamed(&text, pieces, &usage)).into_response();
    }
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
    Json(json!({"id": "x", "model": "short-1", "usage": usage, "choices": [choice]})).into_response()
}

/// The events of an answer in OpenAI's form.
fn streamed(text: &str, pieces: usize, usage: &Value) -> String {
    let event = |delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "x", "model": "short-1", "choices": [choice]}))
    };
    let mut events = String::new();
    let chars: Vec<char> = text.chars().collect();
    for piece in chars.chunks(chars.len().div_ceil(pieces)) {
        events += &event(json!({"content": piece.iter().collect::<String>()}), None);
    }
    events += &event(json!({}), Some("stop"));
    events += &format!("data: {}\n\n", json!({"id": "x", "model": "short-1", "choices": [], "usage": usage}));
    events + "data: [DONE]\n\n"
}

async fn accept(
    State(world): State<World>,
    Path(_): Path<(String, String)>,
    Json(message): Json<Value>,
) -> Json<Value> {
    world.arrived(message["text"]["body"].as_str().unwrap_or_default());
    let delay = world.0.meta_delay_ms.load(Relaxed);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let (to, wamid) = (message["to"].as_str().unwrap_or_default().to_owned(), world.wamid());
    let answer =
        json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}], "messages": [{"id": wamid}]});
    let statuses = world.0.statuses.load(Relaxed);
    if statuses > 0 {
        let opaque = message["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
        tokio::spawn(async move {
            let server = world.0.server.lock().expect("no panic").clone();
            for word in ["sent", "delivered", "read"].into_iter().take(statuses) {
                webhook::post(world.http(), &server, &webhook::status(&to, &wamid, word, &opaque)).await;
            }
        });
    }
    Json(answer)
}
