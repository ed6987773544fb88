//! Conversion between OpenAI's chat completions and the rehearsal model.

use domain::chat::{ChatMessage, ModelRequest, ToolCall, ToolSpec};
use serde_json::{Value, json};

/// Answers a chat completion request with the rehearsal model.
pub(crate) fn rehearse(request: &Value) -> Value {
    let answer = rehearsal::answer(&read(request));
    let calls: Vec<Value> = answer
        .tool_calls
        .iter()
        .map(|call| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments.to_string()}}))
        .collect();
    json!({"role": "assistant", "content": answer.text, "tool_calls": calls})
}

/// Texts of a message's content, which may have other parts.
pub(crate) fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        content => content.as_str().into_iter().collect(),
    }
}

fn read(request: &Value) -> ModelRequest {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut system = String::new();
    let mut messages = Vec::new();
    for message in request["messages"].as_array().into_iter().flatten() {
        let content = texts(&message["content"]).join("\n\n");
        match message["role"].as_str().unwrap_or_default() {
            "system" => system = content,
            "user" => messages.push(ChatMessage::user(content)),
            "tool" => messages.push(ChatMessage::Tool { call_id: text(&message["tool_call_id"]), content }),
            _ => {
                let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| ToolCall {
                    id: text(&call["id"]),
                    name: text(&call["function"]["name"]),
                    arguments: serde_json::from_str(&text(&call["function"]["arguments"])).unwrap_or(Value::Null),
                });
                let content = Some(content).filter(|content| !content.is_empty());
                messages.push(ChatMessage::assistant(content, calls.collect()));
            }
        }
    }
    let tools = request["tools"].as_array().into_iter().flatten().map(|tool| ToolSpec {
        name: text(&tool["function"]["name"]),
        description: text(&tool["function"]["description"]),
        parameters: tool["function"]["parameters"].clone(),
    });
    ModelRequest { system, messages, tools: tools.collect(), ..ModelRequest::default() }
}
