//! What a test sees of a call.

use serde_json::Value;
use std::collections::BTreeMap;

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON, or null.
    pub body: Value,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// A call of the API and its answer.
#[derive(Debug, Clone)]
pub struct Heard {
    /// In lower case.
    pub method: String,
    /// With its query.
    pub path: String,
    /// What came of it.
    pub answer: Answer,
}

impl Answer {
    /// `data` of a successful answer.
    pub fn data(&self) -> &Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        &self.body["data"]
    }

    /// `data.id` of a successful answer.
    pub fn id(&self) -> String {
        self.data()["id"].as_str().expect("an id").to_owned()
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let bytes = response.bytes().await.expect("a body");
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status, body, headers }
}
