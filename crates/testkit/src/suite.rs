//! Test suite of three cases with a deterministic user and judge, so that scores depend only on the
//! agent.
//!
//! The user sends the lines of the script and then ends the conversation. The score is the share of
//! rubric lines that occur in the agent's messages. The rehearsal model acts as the agent.

use crate::{ScriptedModel, wire};
use serde_json::{Value, json};

/// Script, rubric, and the expected score of the demo agent.
pub const SUITE: [(&str, &str, f64); 3] = [
    ("Hello, where is my order 1042?", "1042\nshipped", 1.0),
    ("Hello\nMy order is 1042", "1042\nshipped", 1.0),
    ("Where is my order?\n1042", "shipped\na poem", 0.5),
];

impl ScriptedModel {
    /// Starts a model that acts as agent, user and judge of the suite.
    pub async fn playing_suites() -> Self {
        Self::with_responder(Self::play_suite).await
    }

    /// Answers a request of a suite.
    pub fn play_suite(request: &Value) -> Value {
        let question = request["messages"].as_array().and_then(|messages| messages.last()).map(|last| &last["content"]);
        let question = question.and_then(Value::as_str).unwrap_or_default();
        let part = |name: &str| {
            let rest = question.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
            rest.split_once(&format!("</{name}>")).map_or("", |(part, _)| part).trim()
        };
        let transcript = part("transcript");
        match request["tools"][0]["function"]["name"].as_str() {
            Some("send_user_message") => {
                let sent = transcript.lines().filter(|line| line.starts_with("User: ")).count();
                let next = part("script").lines().nth(sent).unwrap_or("CONVERSATION_ENDED");
                call("send_user_message", &json!({"message": next}))
            }
            Some("grade_conversation") => {
                let wanted: Vec<&str> = part("rubric").lines().collect();
                let agent: String = transcript
                    .split("User: ")
                    .filter_map(|turn| turn.split_once("Agent: "))
                    .map(|(_, text)| text)
                    .collect();
                let met = wanted.iter().filter(|item| agent.contains(**item)).count();
                let lines: Vec<String> = wanted.iter().map(|item| format!("- {item}")).collect();
                #[expect(clippy::cast_precision_loss, reason = "a few lines")]
                let score = met as f64 / wanted.len() as f64;
                call("grade_conversation", &json!({"score": score, "feedback": lines.join("\n")}))
            }
            _ => wire::rehearse(request),
        }
    }
}

fn call(name: &str, arguments: &Value) -> Value {
    let function = json!({"name": name, "arguments": arguments.to_string()});
    json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c0", "type": "function", "function": function}]})
}
