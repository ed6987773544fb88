//! The judge of a test run: a model that grades a conversation by a rubric (docs/spec/engine.md
//! 6.2).
//! The conversation is escaped data, so no text in it can open or close a section of the request.

use crate::{
    text::without_comments,
    tools::schema::object,
    transcript::{Line, tag, transcript},
};
use domain::chat::{ChatMessage, ModelRequest, ModelResponse, ToolSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The tool that carries the grade.
pub const NAME: &str = domain::tool_names::GRADE_CONVERSATION;
const RULES: &str = include_str!("../prompts/judge.md");
/// Values of these keys are hidden from the judge.
const SECRET_KEYS: [&str; 8] =
    ["authorization", "api_key", "apikey", "access_token", "password", "secret", "token", "x-api-key"];

/// The grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// 0 to 100.
    pub hundredths: i64,
    /// Markdown.
    pub feedback: String,
}

pub fn request(rubric: &str, lines: &[Line], history: &[ChatMessage]) -> ModelRequest {
    let log = Value::Array(history.iter().map(|entry| redacted(entry_of(entry))).collect());
    let content = format!(
        "<rubric>\n{}\n</rubric>\n\n<transcript>\n{}\n</transcript>\n\n<log>\n{}\n</log>",
        rubric.trim(),
        transcript(lines),
        // Equal JSON, without a delimiter.
        log.to_string().replace('<', "\\u003c")
    );
    let score = json!({"type": "number", "minimum": 0, "maximum": 1, "description": "0.00 to 1.00"});
    let feedback = json!({"type": "string", "description": "Markdown, one checklist line for each item of the rubric"});
    let tool = ToolSpec {
        name: NAME.into(),
        description: "Gives the score and the reasons for it.".into(),
        parameters: object(json!({"score": score, "feedback": feedback}), &["score", "feedback"]),
    };
    ModelRequest {
        system: without_comments(RULES),
        messages: vec![ChatMessage::User { content }],
        tools: vec![tool],
        temperature: Some(0.0),
        ..ModelRequest::default()
    }
}

/// Reads the tool call, else `<score>` and `<feedback>` tags. `None`: no score, or several, as in
/// an answer that quotes one.
pub fn read(response: &ModelResponse) -> Option<Verdict> {
    if let Some(call) = response.tool_calls.iter().find(|call| call.name == NAME) {
        let score = match call.arguments.get("score")? {
            Value::String(text) => text.trim().parse().ok()?,
            other => other.as_f64()?,
        };
        let feedback = call.arguments.get("feedback").and_then(Value::as_str).unwrap_or_default();
        return verdict(score, feedback);
    }
    let text = response.text.as_deref()?;
    verdict(tag(text, "score")?.trim().parse().ok()?, tag(text, "feedback").unwrap_or_default())
}

fn verdict(score: f64, feedback: &str) -> Option<Verdict> {
    if !score.is_finite() {
        return None;
    }
    let hundredths = (score.clamp(0.0, 1.0) * 100.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
    Some(Verdict { hundredths: hundredths as i64, feedback: feedback.trim().to_owned() })
}

/// An entry of history in the format of OpenAI's chat API.
pub fn entry_of(entry: &ChatMessage) -> Value {
    match entry {
        ChatMessage::User { content } => json!({"role": "user", "content": content}),
        ChatMessage::Tool { call_id, content } => json!({"role": "tool", "tool_call_id": call_id, "content": content}),
        ChatMessage::Assistant { content, tool_calls } => {
            let mut message =
                Map::from_iter([("role".to_owned(), json!("assistant")), ("content".to_owned(), json!(content))]);
            if !tool_calls.is_empty() {
                let calls = tool_calls.iter().map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
                    json!({"id": call.id, "type": "function", "function": function})
                });
                message.insert("tool_calls".into(), calls.collect());
            }
            message.into()
        }
    }
}

/// Hides values under names of secrets, also in JSON inside strings.
fn redacted(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let secret = SECRET_KEYS.contains(&key.to_ascii_lowercase().as_str());
                    let value = if secret { json!("[redacted]") } else { redacted(value) };
                    (key, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => Value::String(redacted(inner).to_string()),
            _ => Value::String(text),
        },
        other => other,
    }
}
