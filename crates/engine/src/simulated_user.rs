//! The simulated user of a test run: a model that plays the contact by a script
//! (docs/spec/engine.md 6.2).
//! Requests and answers only; `trial.rs` decides when to make them.

use crate::{
    answer,
    text::without_comments,
    tools::schema::object,
    transcript::{Line, data, tag, transcript},
};
use domain::{
    agent::LlmConfig,
    chat::{ChatMessage, ModelRequest, ModelResponse, ToolSpec},
};
use serde_json::{Value, json};

/// The tool that carries its message.
pub const NAME: &str = domain::tool_names::SEND_USER_MESSAGE;
/// Its message when the script is used up.
pub const ENDED: &str = "CONVERSATION_ENDED";
/// Characters of one message.
const LONGEST: usize = 4_096;
const RULES: &str = include_str!("../prompts/simulated_user.md");

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimulatedReply {
    Message(String),
    /// The script is used up.
    ScriptEnded,
}

/// The request for its next message. `llm` is the agent's or the case's model.
pub fn request(script: &str, lines: &[Line], llm: LlmConfig) -> ModelRequest {
    let last = lines.iter().rev().find(|line| !line.by_user).map_or("", |line| line.text.as_str());
    let conversation = if lines.is_empty() { "(the conversation has not begun)".into() } else { transcript(lines) };
    let content = format!(
        "<script>\n{}\n</script>\n\n<transcript>\n{conversation}\n</transcript>\n\n<last_agent_message>\n{}\n</last_agent_message>",
        script.trim(),
        data(last)
    );
    let message = json!({"type": "string", "description": format!("What the person writes next, or exactly {ENDED}")});
    let tool = ToolSpec {
        name: NAME.into(),
        description: "Writes the person's next message.".into(),
        parameters: object(json!({"message": message}), &["message"]),
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

/// Reads the tool call, else `<message>` tags, else the whole text. `None`: an empty answer.
pub fn read(response: &ModelResponse) -> Option<SimulatedReply> {
    let called = response.tool_calls.iter().find(|call| call.name == NAME);
    let called = called.and_then(|call| call.arguments.get("message").and_then(Value::as_str));
    // Private reasoning is not what the person writes.
    let text = answer::separate(called.or(response.text.as_deref())?).said;
    let message = if called.is_some() { text.as_str() } else { tag(&text, "message").unwrap_or(&text) };
    match message.trim() {
        "" => None,
        // Some models add the token to a goodbye; the agent must never read it.
        text if text.contains(ENDED) => Some(SimulatedReply::ScriptEnded),
        text => Some(SimulatedReply::Message(text.chars().take(LONGEST).collect())),
    }
}
