//! The judge of a test run: a model that grades a conversation by a rubric (docs/spec/engine.md
//! 6.2).
//! The conversation is escaped data, so no text in it can open or close a section of the request.

use crate::{
    answer,
    text::without_comments,
    tools::schema::object,
    transcript::{Line, tag, transcript},
};
use domain::{
    agent::LlmConfig,
    chat::{ChatMessage, Ended, ModelRequest, ModelResponse, ToolSpec},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The tool that carries the grade.
pub const NAME: &str = domain::tool_names::GRADE_CONVERSATION;
const RULES: &str = include_str!("../prompts/judge.md");
/// Values of these keys are hidden from the judge.
const SECRET_KEYS: [&str; 8] =
    ["authorization", "api_key", "apikey", "access_token", "password", "secret", "token", "x-api-key"];

const NO_SCORE: &str = "the judge gave no score";
const UNREADABLE: &str = "the judge's answer could not be read";
/// Rounding error of binary fractions: `0.29 * 100.0` is slightly less than 29.
const TOLERANCE: f64 = 1e-9;

/// The grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// 0 to 100.
    pub hundredths: i64,
    /// Markdown.
    pub feedback: String,
}

impl Verdict {
    /// 0 to 1, as the API shows it.
    #[expect(clippy::cast_precision_loss, reason = "0 to 100")]
    pub fn score(&self) -> f64 {
        self.hundredths as f64 / 100.0
    }
}

/// `refused` is the reason why the previous answer was no verdict; `llm` is the agent's or the
/// case's model.
pub fn request(
    rubric: &str,
    lines: &[Line],
    history: &[ChatMessage],
    refused: Option<&str>,
    llm: LlmConfig,
) -> ModelRequest {
    let log = Value::Array(history.iter().map(|entry| redacted(entry_of(entry))).collect());
    let mut content = format!(
        "<rubric>\n{}\n</rubric>\n\n<transcript>\n{}\n</transcript>\n\n<log>\n{}\n</log>",
        rubric.trim(),
        transcript(lines),
        // Equal JSON, without a delimiter.
        log.to_string().replace('<', "\\u003c")
    );
    if let Some(why) = refused {
        content.push_str(&format!(
            "\n\nYour previous answer was no verdict: {why}. Grade again, with one score from 0.00 to 1.00."
        ));
    }
    let score = json!({"type": "number", "minimum": 0, "maximum": 1, "description": "0.00 to 1.00"});
    let feedback = json!({"type": "string", "description": "Markdown, one checklist line for each item of the rubric"});
    let tool = ToolSpec {
        name: NAME.into(),
        description: "Gives the score and the reasons for it.".into(),
        parameters: object(json!({"score": score, "feedback": feedback}), &["score", "feedback"]),
    };
    ModelRequest {
        system: without_comments(RULES),
        messages: vec![ChatMessage::user(content)],
        tools: vec![tool],
        temperature: Some(0.0),
        llm,
        ..ModelRequest::default()
    }
}

/// Reads the tool call, else `<score>` and `<feedback>` tags. `Err`: no verdict, and why. A score is
/// never repaired: one outside of 0 to 1 may be a percentage, a rating of stars or a typing error.
pub fn read(response: &ModelResponse) -> Result<Verdict, &'static str> {
    if !matches!(response.ended, Ended::Whole) {
        return Err(UNREADABLE);
    }
    let mut calls = response.tool_calls.iter().filter(|call| call.name == NAME);
    if let Some(call) = calls.next() {
        if calls.next().is_some() {
            return Err("the judge gave several scores");
        }
        let score = match call.arguments.get("score").ok_or(NO_SCORE)? {
            Value::String(text) => number(text)?,
            other => other.as_f64().ok_or(NO_SCORE)?,
        };
        return verdict(score, call.arguments.get("feedback").and_then(Value::as_str));
    }
    let text = answer::separate(response.text.as_deref().unwrap_or_default()).said;
    if text.is_empty() {
        return Err(UNREADABLE);
    }
    verdict(number(tag(&text, "score").ok_or(NO_SCORE)?)?, tag(&text, "feedback"))
}

fn number(text: &str) -> Result<f64, &'static str> {
    let text = text.trim();
    // `parse` takes `inf` and `nan` as well.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().map_err(|_| NO_SCORE) } else { Err("the judge's score is not a plain number") }
}

fn verdict(score: f64, feedback: Option<&str>) -> Result<Verdict, &'static str> {
    if !(0.0..=1.0).contains(&score) {
        return Err("the judge's score is not between 0 and 1");
    }
    let feedback = feedback.map(str::trim).filter(|feedback| !feedback.is_empty());
    // Downwards: a rounding must not raise a score.
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
    let hundredths = (score * 100.0 + TOLERANCE).floor() as i64;
    Ok(Verdict { hundredths, feedback: feedback.ok_or("the judge gave no feedback")?.to_owned() })
}

/// An entry of history in the format of OpenAI's chat API.
pub fn entry_of(entry: &ChatMessage) -> Value {
    match entry {
        ChatMessage::User { content, .. } => json!({"role": "user", "content": content}),
        ChatMessage::Tool { call_id, content } => json!({"role": "tool", "tool_call_id": call_id, "content": content}),
        ChatMessage::Assistant { content, tool_calls, .. } => {
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
