//! The simulated user of a test: a model that plays the person by a script (engine.md 6.2).
//!
//! Only words here: what it is told and how its answer is read. When it is asked is decided in `trial.rs`.

use crate::{
    text::without_comments,
    tools::schema::object,
    transcript::{Line, data, tag, transcript},
};
use domain::chat::{ChatMessage, ModelRequest, ModelResponse, ToolSpec};
use serde_json::{Value, json};

/// The tool by which it answers.
pub const NAME: &str = domain::tool_names::SEND_USER_MESSAGE;
/// What it answers when there is nothing left to say.
pub const ENDED: &str = "CONVERSATION_ENDED";
/// What a person can write in one message.
const LONGEST: usize = 4_096;
const RULES: &str = include_str!("../prompts/simulated_user.md");

/// What the simulated user does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Played {
    /// It writes this.
    Says(String),
    /// The script is used up.
    Ends,
}

/// The question for its next message, after what was said so far.
pub fn request(script: &str, lines: &[Line]) -> ModelRequest {
    let last = lines.iter().rev().find(|line| !line.by_user).map_or("", |line| line.text.as_str());
    let said = if lines.is_empty() { "(the conversation has not begun)".into() } else { transcript(lines) };
    let content = format!(
        "<script>\n{}\n</script>\n\n<transcript>\n{said}\n</transcript>\n\n<last_agent_message>\n{}\n</last_agent_message>",
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
        messages: vec![ChatMessage::User { content }],
        tools: vec![tool],
        temperature: Some(0.0),
        ..ModelRequest::default()
    }
}

/// Reads its answer: the tool call, else `<message>` tags, else the text as it is. `None`: there is nothing in it.
pub fn read(response: &ModelResponse) -> Option<Played> {
    let called = response.tool_calls.iter().find(|call| call.name == NAME);
    let called = called.and_then(|call| call.arguments.get("message").and_then(Value::as_str));
    let written = || response.text.as_deref().map(|text| tag(text, "message").unwrap_or(text));
    let message = called.or_else(written)?.trim();
    match message {
        "" => None,
        // A model that says goodbye and adds the token: the agent must never read it.
        text if text.contains(ENDED) => Some(Played::Ends),
        text => Some(Played::Says(text.chars().take(LONGEST).collect())),
    }
}
