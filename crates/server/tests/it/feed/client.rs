//! A client of the live feed.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::time::Duration;
use testkit::TestApp;

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Empty for changes.
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Message {
    pub fn is(&self, topic: &str) -> bool {
        self.name.is_empty() && self.data["topic"] == topic
    }
}

/// An open stream.
pub struct Client {
    response: Response,
    text: String,
}

impl Client {
    /// Opens a stream that starts now.
    pub async fn open(app: &TestApp) -> Self {
        Self::of(app.request(Method::GET, "/api/v1/events")).await
    }

    /// Opens a stream after an id.
    pub async fn after(app: &TestApp, id: &str) -> Self {
        Self::of(app.request(Method::GET, "/api/v1/events").header("last-event-id", id)).await
    }

    /// Opens a stream at a node.
    pub async fn at(url: &str, key: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self::of(http.get(format!("{url}/api/v1/events")).header("x-api-key", key)).await
    }

    /// Opens a stream at a node, after an id.
    pub async fn at_place(url: &str, key: &str, id: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.get(format!("{url}/api/v1/events")).header("x-api-key", key);
        Self::of(request.header("last-event-id", id)).await
    }

    /// Opens a stream and reads its `hello`.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let mut client = Self { response, text: String::new() };
        let hello = client.next().await;
        assert_eq!(hello.name, "hello");
        assert!(hello.id.is_some(), "a client that received no event can resume");
        assert!(hello.data["server_time"].as_str().unwrap().ends_with('Z'), "{}", hello.data);
        assert!(hello.data["version"].is_string());
        client
    }

    /// Waits for the next event that is no heartbeat; panics if none comes within a minute.
    pub async fn next(&mut self) -> Message {
        self.first(|message| message.name != "heartbeat").await
    }

    async fn first(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        let found = async {
            loop {
                let message = self.read().await.expect("an open stream");
                if wanted(&message) {
                    return message;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), found).await.expect("an event within a minute")
    }

    /// The next event; `None` if the stream ended.
    pub async fn read(&mut self) -> Option<Message> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let message = Message {
                    name: field("event:").unwrap_or_default().to_owned(),
                    id: field("id:").map(str::to_owned),
                    data: serde_json::from_str(field("data:").unwrap_or("null")).unwrap(),
                };
                self.text = rest.to_owned();
                return Some(message);
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Waits for the next change with this topic; panics if none comes within a minute.
    pub async fn change(&mut self, topic: &str) -> Message {
        self.first(|message| message.is(topic)).await
    }
}
