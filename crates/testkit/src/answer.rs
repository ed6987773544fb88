//! API calls and answers, as tests see them.

use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// JSON; null for other bodies.
    pub body: Value,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// API call with its answer.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    /// Lower-case HTTP method.
    pub method: String,
    /// Path with query.
    pub path: String,

    pub answer: Answer,
}

impl Answer {
    /// `data` of the answer; panics unless it was successful.
    pub fn data(&self) -> &Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        &self.body["data"]
    }

    /// `data.id` of the answer; panics unless it was successful.
    pub fn id(&self) -> String {
        self.data()["id"].as_str().expect("an id").to_owned()
    }
}

/// Panics unless an error of the API has a sentence in `error`, or the words of Meta, and its code in
/// `code`.
fn check_error(answer: &Answer) {
    let (Some(code), Some(error)) = (answer.body["code"].as_str(), answer.body["error"].as_str()) else { return };
    let is_of_meta = error.starts_with("(#");
    let is_sentence = is_of_meta || error.starts_with(|first: char| first.is_uppercase()) && error != code;
    assert!(answer.status < 400 || is_sentence, "`error` must be a sentence: {}", answer.body);
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
    let answer = Answer { status, body, headers };
    check_error(&answer);
    answer
}
