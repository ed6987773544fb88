//! Kinds of model servers, and what they refuse.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// A kind of model server.
#[derive(Debug)]
pub struct Dialect {
    /// For tables.
    pub name: &'static str,
    /// Value for `CHASQUI_LLM_PROVIDER`.
    pub provider: &'static str,
    pub model: &'static str,
    /// Path of the base URL.
    pub path: &'static str,
    pub shape: Shape,
    /// Abilities of the provider's protocol, for docs/models.md.
    pub abilities: Abilities,
    pub rules: &'static [Rule],
}

#[derive(Debug, Clone, Copy)]
pub struct Abilities {
    pub streaming: &'static str,
    /// Parts of reasoning are given back.
    pub reasoning_kept: bool,
    /// The model in the test is shown pictures.
    pub images: &'static str,
    /// The provider's cache for the repeated beginning of requests.
    pub cache: &'static str,
}

/// Form of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Chat,
    Anthropic,
    Gemini,
}

/// A request that the server refuses.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub status: u16,
    /// The server's words, if the request breaks the rule.
    pub check: fn(&Value) -> Option<String>,
    /// Changes a request that is accepted into one that breaks the rule.
    pub example: fn(&mut Value),
    pub source: &'static str,
}

/// A server's refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub rule: &'static str,
    pub status: u16,
    pub body: Value,
}

pub(super) fn push(request: &mut Value, list: &str, item: Value) {
    if let Some(list) = request[list].as_array_mut() {
        list.push(item);
    }
}

pub(super) fn without_results(request: &mut Value) {
    if let Some(messages) = request["messages"].as_array_mut() {
        messages.retain(|message| message["role"] != "tool");
    }
}

/// Content of a user's message in the form of chat completions: one text, or parts.
pub(super) fn user_content(parts: Vec<Value>) -> Value {
    if parts.iter().all(|part| part["type"] == "text") {
        let texts: Vec<&str> = parts.iter().map(|part| word(&part["text"])).collect();
        return texts.join("\n\n").into();
    }
    parts.into()
}

/// The type of a picture by its first bytes, from base64; an error if it is no base64.
pub(super) fn picture_type(base64: &str) -> Result<&'static str, base64::DecodeError> {
    let bytes = STANDARD.decode(base64)?;
    Ok(match &bytes[..] {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => "unknown",
    })
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
