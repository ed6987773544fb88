//! Parts that survive a kill of the server: WhatsApp as its own process, the model, the tool's
//! service, and the data.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Request, Service};
use tokio::runtime::Runtime;

use super::{
    cases::{Case, Tool},
    model,
};
use crate::program::{Home, Running, json};

/// Time limit of waits; longer than a lease.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    pub home: Home,
    pub model: Service,
    pub tool: Service,
    pub port: u16,
    pub emulator: String,
    http: reqwest::Client,
    runtime: Runtime,
    _emulator: Running,
}

pub struct Access {
    pub key: String,
    pub agent: String,
    pub code: String,
}

impl World {
    pub fn new() -> Self {
        Self::with(model::complete)
    }

    pub fn with(model: impl Fn(&Request) -> Value + Send + Sync + 'static) -> Self {
        let home = Home::new();
        let runtime = Runtime::new().unwrap();
        let model = runtime.block_on(Service::start(model));
        let tool = runtime.block_on(Service::start(|_| json!({"state": "booked"})));
        let port = free_port();
        let callback = format!("http://127.0.0.1:{port}/webhooks/whatsapp");
        let mut process = home.start(&["emulator", "--listen", "0", "--callback", &callback]);
        let emulator = process.value_after("The emulator listens on ", Duration::from_secs(10));
        gateways::tls::install();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let world = Self { home, model, tool, port, emulator, http, runtime, _emulator: process };
        // The tests write faster than WhatsApp's pair rate allows.
        world.control(Method::PUT, "/limits", Some(json!({"pair_rate": false})));
        world
    }

    /// Creates project, key, agent and sandbox session on the running server.
    pub fn set_up(&self, case: &Case) -> Access {
        let project = json(&self.home.run(&["projects", "create", "Crash", "--json"]));
        let key = project["api_key"].as_str().unwrap().to_owned();
        self.send_no_disclosure(&project);
        let agent = self.api(&key, Method::POST, "/agents", Some(json!({"agent": self.agent(case)})));
        let agent = agent["data"]["id"].as_str().unwrap().to_owned();
        let code = self.session(&key, &agent, ANA);
        Access { key, agent, code }
    }

    /// Turns the disclosure of a new project off: the tests compare what the agent says. `project` is
    /// what `projects create` printed.
    pub fn send_no_disclosure(&self, project: &Value) {
        let text = |name: &str| project[name].as_str().unwrap();
        let off = json!({"project": {"agent_messages": {"disclosure": {"enabled": false}}}});
        self.api(text("api_key"), Method::PATCH, &format!("/projects/{}", text("project_id")), Some(off));
    }

    /// Creates a sandbox session. Returns its code.
    pub fn session(&self, key: &str, agent: &str, phone: &str) -> String {
        let session = json!({"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": agent}});
        let session = self.api(key, Method::POST, "/sandbox_sessions", Some(session));
        session["data"]["activation_code"].as_str().unwrap().to_owned()
    }

    fn agent(&self, case: &Case) -> Value {
        let method = if case.tool == Tool::Repeated { "GET" } else { "POST" };
        let webhook = json!({"name": "orders", "description": "Books", "url": format!("{}/#{{order_number}}", self.tool.url()), "http_method": method});
        json!({"name": "Crash", "message_debounce_seconds": 0, "graph": {
            "nodes": [
                {"name": "__start__", "type": "DefaultNode"},
                {"name": "shop", "type": "SubagentNode", "prompt": "Help.", "subagent": {"webhooks": [webhook]}},
                {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 1}},
                {"name": "__end__", "type": "DefaultNode"}],
            "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "closing", "label": "nothing more"},
                {"from": "closing", "to": "__end__", "label": "goodbye"}]}})
    }

    // ---- phone and emulator

    pub fn contact_sends(&self, text: &str) {
        self.contact_sends_as(ANA, text);
    }

    pub fn contact_sends_as(&self, phone: &str, text: &str) {
        self.control(Method::POST, "/inbound", Some(json!({"from": phone, "text": text})));
    }

    /// Texts that the business sent to the phone, oldest first.
    pub fn received_texts(&self) -> Vec<String> {
        self.received_by(ANA)
    }

    pub fn received_by(&self, phone: &str) -> Vec<String> {
        let path = format!("/chats/{}/{}", emulator::PHONE_NUMBER_ID, phone.trim_start_matches('+'));
        let chat = self.control(Method::GET, &path, None);
        let messages = chat["messages"].as_array().cloned().unwrap_or_default();
        let out = messages.iter().filter(|message| message["direction"] == "out");
        out.map(|message| message["content"]["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Texts of all requests to send, with any result.
    pub fn send_requests(&self) -> Vec<String> {
        let log = self.control(Method::GET, "/requests?path=/messages", None);
        let requests = log["requests"].as_array().cloned().unwrap_or_default();
        requests.iter().filter_map(|request| Some(request["body"]["text"]["body"].as_str()?.to_owned())).collect()
    }

    /// Number of all webhooks, and of those that were not answered with 200 yet.
    pub fn webhooks(&self) -> (usize, usize) {
        let deliveries = self.deliveries();
        let open = deliveries.iter().filter(|delivery| delivery["state"] != "delivered");
        (deliveries.len(), open.count())
    }

    /// Delivery log: body, signature and attempts of every webhook.
    pub fn deliveries(&self) -> Vec<Value> {
        let log = self.control(Method::GET, "/webhooks/deliveries", None);
        log["deliveries"].as_array().cloned().unwrap_or_default()
    }

    /// Retries all undelivered webhooks now.
    pub fn flush(&self) {
        self.control(Method::POST, "/webhooks/flush", None);
    }

    /// Sends webhooks to this server.
    pub fn set_callback(&self, port: u16) {
        let callback = format!("http://127.0.0.1:{port}/webhooks/whatsapp");
        let config = json!({"callback_url": callback, "verify_token": emulator::VERIFY_TOKEN});
        self.control(Method::PUT, "/webhooks/config", Some(config));
    }

    /// Holds the next send open: it is accepted and answered late, or not accepted.
    pub fn hold_next_send(&self, taken: bool) {
        let action = if taken { json!({"slow": {"ms": 5_000}}) } else { json!({"hang": {"ms": 5_000}}) };
        self.control(
            Method::POST,
            "/faults",
            Some(json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": action})),
        );
    }

    /// Bodies of the model requests.
    pub fn questions(&self) -> Vec<Value> {
        self.model
            .requests()
            .into_iter()
            .filter(|request| request.path.ends_with(model::PATH))
            .map(|request| request.body)
            .collect()
    }

    /// Number of the server's requests to other systems.
    pub fn activity(&self) -> usize {
        self.questions().len() + self.tool.requests().len() + self.send_requests().len()
    }

    /// Standard error of all servers of this world.
    pub fn server_log_file(&self) -> PathBuf {
        self.home.path().join("server.log")
    }

    pub fn server_log(&self) -> String {
        std::fs::read_to_string(self.server_log_file()).unwrap_or_default()
    }

    // ---- requests

    pub fn metrics(&self, port: u16) -> String {
        let request = self.http.get(format!("http://127.0.0.1:{}/metrics", operations_port(port)));
        self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() })
    }

    pub fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.request(self.http.request(method, format!("{}/_emulator/v1{path}", self.emulator)), body)
    }

    pub fn api(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.http.request(method, format!("http://127.0.0.1:{}/api/v1{path}", self.port));
        self.request(request.header("X-API-Key", key), body)
    }

    /// Calls the API; the answer may be an error body.
    pub fn try_api(&self, key: &str, method: Method, path: &str, body: &Value) -> Value {
        let request = self.http.request(method, format!("http://127.0.0.1:{}/api/v1{path}", self.port));
        let request = request.header("X-API-Key", key).json(body);
        self.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() })
    }

    /// Posts to a server that may be killed; `None` if it did not answer. The idempotency key is
    /// the path, so that the call can be repeated.
    pub fn try_post(&self, key: &str, path: &str) -> Option<Value> {
        let request = self.http.post(format!("http://127.0.0.1:{}/api/v1{path}", self.port)).json(&json!({}));
        let request = request.header("X-API-Key", key).header("Idempotency-Key", path);
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            assert!(response.status().is_success(), "{}", response.status());
            response.json().await.ok()
        })
    }

    /// Delivers a signed webhook to the server; returns the status, or `None` without an answer.
    pub fn try_deliver(&self, body: &[u8]) -> Option<u16> {
        let secret = secrecy::SecretString::from(emulator::APP_SECRET);
        let signature = gateways::whatsapp::signature::sign(&secret, body);
        let request = self.http.post(format!("http://127.0.0.1:{}/webhooks/whatsapp", self.port));
        let request = request.header(gateways::whatsapp::signature::HEADER, signature).body(body.to_vec());
        self.runtime.block_on(async { Some(request.send().await.ok()?.status().as_u16()) })
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Sends an image message as a form.
    pub fn post_picture(&self, key: &str, path: &str, bytes: &[u8]) -> Value {
        let head = "--b\r\nContent-Disposition: form-data; name=\"message[message_type]\"\r\n\r\nimage\r\n\
            --b\r\nContent-Disposition: form-data; name=\"message[media_file]\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\n";
        let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
        let request = self.http.post(format!("http://127.0.0.1:{}/api/v1{path}", self.port)).body(body);
        let form = "multipart/form-data; boundary=b";
        self.request(request.header("X-API-Key", key).header("content-type", form), None)
    }

    pub fn download(&self, url: &str) -> Vec<u8> {
        let request = self.http.get(url);
        self.runtime.block_on(async { request.send().await.unwrap().bytes().await.unwrap().to_vec() })
    }

    fn request(&self, request: reqwest::RequestBuilder, body: Option<Value>) -> Value {
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(status.is_success(), "{status} {text}");
            serde_json::from_str(&text).unwrap()
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            super::print_line(&self.server_log());
        }
    }
}

/// Polls a condition; panics after [`PATIENCE`].
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !come() {
        assert!(Instant::now() < end, "{what} did not happen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Finds a port outside the range of outgoing connections, so that it stays free while the server
/// is down. Tests that run at the same time in processes of their own have a slot number from
/// nextest, and each slot has 400 ports.
pub fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let given = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse().ok());
    let slot = u16::try_from(given.unwrap_or_else(std::process::id) % 30).unwrap();
    loop {
        let port = 20_000 + slot * 400 + TRIED.fetch_add(1, Ordering::Relaxed) % 400;
        if [port, operations_port(port)].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return port;
        }
    }
}

/// Port of the metrics of a server on a port of [`free_port`].
pub const fn operations_port(port: u16) -> u16 {
    port - 12_000
}
