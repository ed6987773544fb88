//! A project's client, and its writes at a fixed rate: what one project feels of another's work.

use crate::{figures::Figures, samples::Samples};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Between two writes.
const INTERVAL: Duration = Duration::from_millis(10);

/// Calls the API with a project's key.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    pub key: String,
}

impl Client {
    /// The answer; panics unless it was successful.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.attempt(method, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub async fn attempt(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).header("X-API-Key", &self.key);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default())
    }
}

/// Renames one contact over and over.
#[derive(Clone)]
pub struct Writes {
    client: Client,
    path: String,
}

impl Writes {
    pub async fn new(client: Client) -> Self {
        let contact = json!({"contact": {"wa_id": "5511970000001", "profile_name": "Ann"}});
        let contact = client.call(Method::POST, "/whatsapp_contacts", &contact).await;
        let path = format!("/whatsapp_contacts/{}", contact["data"]["id"].as_str().expect("a contact"));
        Self { client, path }
    }

    /// One write in each interval, whether the one before is answered or not. Times run from the
    /// intended moment. The writes have a thread of their own, so that the load's own work in this
    /// process does not count as the server's.
    pub async fn run(&self, length: Duration) -> Samples {
        let writes = self.clone();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(writes.run_here(length))
        };
        tokio::task::spawn_blocking(run).await.expect("no panic")
    }

    async fn run_here(mut self, length: Duration) -> Samples {
        // A client's connections belong to the runtime that opened them.
        self.client.http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let began = Instant::now();
        let mut open = Vec::new();
        let mut at = began;
        while at < began + length {
            tokio::time::sleep_until(at.into()).await;
            let (client, path, intended, name) = (self.client.clone(), self.path.clone(), at, open.len());
            open.push(tokio::spawn(async move {
                let body = json!({"contact": {"profile_name": format!("Ann {name}")}});
                client.call(Method::PATCH, &path, &body).await;
                intended.elapsed()
            }));
            at += INTERVAL;
        }
        let mut samples = Samples::default();
        for write in open {
            samples.add(write.await.expect("no panic"));
        }
        samples
    }
}

/// Reports the times of idle writes and of those beside a load, and the ratio of their p99.
pub fn report(load: &str, idle: &mut Samples, busy: &mut Samples, figures: &mut Figures) {
    for (load, samples) in [("idle", &mut *idle), (load, &mut *busy)] {
        for (what, percent) in [("writes, p50", 50.0), ("writes, p99", 99.0), ("writes, longest", 100.0)] {
            figures.add(load, what, samples.percentile(percent), "ms");
        }
    }
    figures.add(load, "p99 to idle", busy.percentile(99.0) / idle.percentile(99.0).max(0.001), "");
}
