//! Test harness: an emulator on a manual clock, its callback, and helpers.

use std::time::Duration;

use emulator::{ACCESS_TOKEN, ClockMode, Config, Emulator, PHONE_NUMBER_ID};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::callback::Callback;

pub const ANA: &str = "5511999990001";
pub const BOB: &str = "15557770002";
pub const HOUR: u64 = 3_600_000;

pub struct Harness {
    pub emulator: Emulator,
    pub callback: Callback,
    pub http: Client,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn code(&self) -> u64 {
        self.json()["error"]["code"].as_u64().unwrap_or_default()
    }

    /// Id of the accepted message.
    pub fn wamid(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["messages"][0]["id"].as_str().unwrap().to_owned()
    }
}

pub fn http() -> Client {
    // An error means that another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

pub fn manual(seed: u64, callback: &Callback) -> Config {
    Config { seed, clock: ClockMode::Manual, callback_url: Some(callback.url.clone()), ..Config::default() }
}

impl Harness {
    pub async fn start() -> Self {
        Self::seeded(1).await
    }

    pub async fn seeded(seed: u64) -> Self {
        let callback = Callback::start().await;
        let emulator = emulator::start(manual(seed, &callback)).await.unwrap();
        Self { emulator, callback, http: http() }
    }

    /// Starts an emulator in which the service windows of Ana and Bob are open.
    pub async fn open() -> Self {
        let harness = Self::start().await;
        harness.contact_sends("ana", "hi").await;
        harness.contact_sends("bob", "hi").await;
        harness.callback.forget();
        harness
    }

    pub async fn graph(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.emulator.url());
        let request = self.http.post(url).bearer_auth(ACCESS_TOKEN).json(body);
        Answer::read(request.send().await.unwrap()).await
    }

    /// Sends any Graph call with any token.
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}/v25.0{path}", self.emulator.url())).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn read(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, ACCESS_TOKEN, None).await
    }

    /// Stores a file that messages can reference.
    pub async fn file(&self, id: &str, mime_type: &str) {
        let file = json!({"base64": "aGVsbG8=", "mime_type": mime_type, "filename": "a.bin", "id": id});
        let answer = self.post("/inbound/media", file).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub async fn send(&self, body: &Value) -> Answer {
        self.graph(&format!("/v25.0/{PHONE_NUMBER_ID}/messages"), body).await
    }

    pub async fn text(&self, to: &str, body: &str) -> Answer {
        self.send(&text_to(to, body)).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/_emulator/v1{path}", self.emulator.url());
        Answer::read(self.http.request(method, url).json(&body).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        let answer = self.call(Method::PUT, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/_emulator/v1{path}", self.emulator.url());
        Answer::read(self.http.get(url).send().await.unwrap()).await.json()
    }

    /// Sends a message from a contact. Returns its id.
    pub async fn contact_sends(&self, from: &str, text: &str) -> String {
        let answer = self.post("/inbound", json!({"from": from, "text": text})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["message_id"].as_str().unwrap().to_owned()
    }

    pub async fn fault(&self, when: Value, trigger: Value, action: Value) {
        let rule = json!({"when": when, "trigger": trigger, "do": action});
        let answer = self.post("/faults", rule).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub async fn chat(&self, key: &str) -> Value {
        self.get(&format!("/chats/{PHONE_NUMBER_ID}/{key}")).await
    }

    /// Texts that the business sent to this contact.
    pub async fn sent_to(&self, key: &str) -> Vec<String> {
        let chat = self.chat(key).await;
        let messages = chat["messages"].as_array().unwrap();
        let out = messages.iter().filter(|message| message["direction"] == "out");
        out.map(|message| message["content"]["body"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn seconds(&self, seconds: u64) {
        self.emulator.advance(seconds * 1000).await;
    }

    pub async fn quiet(&self) {
        let quiescence = self.emulator.quiesce(Duration::from_secs(10)).await;
        assert_eq!(quiescence.in_flight, 0);
    }
}

pub fn text_to(to: &str, body: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
        "type": "text", "text": {"body": body},
    })
}

/// Loads a wire example from `fixtures/cloud-api`.
pub fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cloud-api");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Replaces the values of these keys everywhere, so that two documents compare by shape.
pub fn blank(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if keys.contains(&key.as_str()) { *value = json!("*") } else { blank(value, keys) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| blank(item, keys)),
        _ => {}
    }
}
