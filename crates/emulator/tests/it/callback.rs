//! Webhook receiver of the tests, with configurable answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Barrier, watch},
};

#[derive(Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn value(&self) -> Value {
        self.json()["entry"][0]["changes"][0]["value"].clone()
    }

    pub fn signature(&self) -> Option<&str> {
        Some(self.headers.get("x-hub-signature-256")?.to_str().unwrap())
    }
}

#[derive(Default)]
struct Inner {
    received: Vec<Received>,
    answers: VecDeque<u16>,
    verify_token: String,
    echoes: bool,
    queries: Vec<String>,
    /// Answers only when this many posts are open at once.
    meeting: Option<Arc<Barrier>>,
    held: watch::Sender<bool>,
}

#[derive(Clone)]
pub struct Callback {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Callback {
    pub async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            verify_token: emulator::VERIFY_TOKEN.to_owned(),
            echoes: true,
            ..Inner::default()
        }));
        let app = Router::new().route("/hook", get(verify).post(take)).with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inner }
    }

    /// Sets the statuses of the next answers; later ones are 200.
    pub fn answers(&self, statuses: &[u16]) {
        self.inner.lock().unwrap().answers.extend(statuses);
    }

    pub fn meets(&self, posts: usize) {
        self.inner.lock().unwrap().meeting = Some(Arc::new(Barrier::new(posts)));
    }

    /// Holds all answers back while it is on.
    pub fn holds(&self, on: bool) {
        self.inner.lock().unwrap().held.send_replace(on);
    }

    pub fn does_not_echo(&self) {
        self.inner.lock().unwrap().echoes = false;
    }

    pub fn queries(&self) -> Vec<String> {
        self.inner.lock().unwrap().queries.clone()
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.lock().unwrap().received.clone()
    }

    pub fn forget(&self) {
        self.inner.lock().unwrap().received.clear();
    }

    /// Received statuses (`sent`, `delivered`, …) in order of arrival.
    pub fn statuses(&self) -> Vec<String> {
        let received = self.received();
        let statuses = received.iter().map(|post| post.value()["statuses"][0]["status"].clone());
        statuses.filter_map(|status| status.as_str().map(str::to_owned)).collect()
    }
}

async fn verify(State(inner): State<Arc<Mutex<Inner>>>, RawQuery(query): RawQuery) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let mut inner = inner.lock().unwrap();
    inner.queries.push(query.clone());
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if field("hub.verify_token").as_ref() != Some(&inner.verify_token) {
        return (StatusCode::FORBIDDEN, String::new());
    }
    let challenge = field("hub.challenge").unwrap();
    (StatusCode::OK, if inner.echoes { challenge } else { "hello".to_owned() })
}

async fn take(State(inner): State<Arc<Mutex<Inner>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let (answer, meeting, mut held) = {
        let mut inner = inner.lock().unwrap();
        inner.received.push(Received { headers, body });
        (inner.answers.pop_front().unwrap_or(200), inner.meeting.clone(), inner.held.subscribe())
    };
    held.wait_for(|held| !held).await.unwrap();
    if let Some(meeting) = meeting {
        meeting.wait().await;
    }
    StatusCode::from_u16(answer).unwrap()
}
