//! Checks of Anthropic's Messages, and conversion from and to its form.

use super::kinds::{list, user_content, word};
use serde_json::{Value, json};

pub(super) fn accepted(model: &str) -> Value {
    json!({
        "model": model,
        "max_tokens": 1_024,
        "system": [{"type": "text", "text": "be kind"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"q": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"},
                {"type": "text", "text": "and?"}]},
        ],
        "tools": [{"name": "find", "description": "Finds.",
            "input_schema": {"type": "object", "properties": {"q": {"type": "integer"}}}}],
    })
}

pub(super) fn answer(model: &str, message: &Value) -> Value {
    let mut content = Vec::new();
    if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
        content.push(json!({"type": "text", "text": text}));
    }
    let calls = list(&message["tool_calls"]);
    content.extend(calls.iter().enumerate().map(|(place, call)| {
        let input: Value = serde_json::from_str(word(&call["function"]["arguments"])).unwrap_or_default();
        json!({"type": "tool_use", "id": format!("toolu_{place}"), "name": call["function"]["name"], "input": input})
    }));
    let reason = if calls.is_empty() { "end_turn" } else { "tool_use" };
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": reason, "usage": {"input_tokens": 10, "output_tokens": 5}})
}

pub(super) fn as_chat(request: &Value) -> Value {
    let mut messages = Vec::new();
    let system: String = list(&request["system"]).iter().map(|block| word(&block["text"])).collect();
    if !system.is_empty() {
        messages.push(json!({"role": "system", "content": system}));
    }
    for message in list(&request["messages"]) {
        let blocks = list(&message["content"]);
        let of_kind = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
        let text: Vec<&str> = of_kind("text").map(|block| word(&block["text"])).collect();
        if message["role"] == "assistant" {
            let calls: Vec<Value> = of_kind("tool_use")
                .map(|block| {
                    json!({"id": block["id"], "type": "function",
                        "function": {"name": block["name"], "arguments": block["input"].to_string()}})
                })
                .collect();
            let content = if text.is_empty() { Value::Null } else { text.join("\n\n").into() };
            messages.push(json!({"role": "assistant", "content": content, "tool_calls": calls}));
            continue;
        }
        messages.extend(
            of_kind("tool_result").map(
                |block| json!({"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}),
            ),
        );
        let parts = blocks.iter().filter_map(|block| match word(&block["type"]) {
            "text" => Some(json!({"type": "text", "text": block["text"]})),
            "image" => {
                let (kind, data) = (word(&block["source"]["media_type"]), word(&block["source"]["data"]));
                Some(json!({"type": "image_url", "image_url": {"url": format!("data:{kind};base64,{data}")}}))
            }
            _ => None,
        });
        let parts: Vec<Value> = parts.collect();
        if !parts.is_empty() {
            messages.push(json!({"role": "user", "content": user_content(parts)}));
        }
    }
    let tool = |tool: &Value| {
        json!({"type": "function", "function":
            {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}})
    };
    let tools: Vec<Value> = list(&request["tools"]).iter().map(tool).collect();
    json!({"model": request["model"], "messages": messages, "tools": tools})
}

fn messages(request: &Value) -> &[Value] {
    list(&request["messages"])
}

fn blocks(message: &Value) -> &[Value] {
    list(&message["content"])
}

fn ids<'a>(message: &'a Value, kind: &str, field: &str) -> Vec<&'a str> {
    blocks(message).iter().filter(|block| block["type"] == kind).map(|block| word(&block[field])).collect()
}

pub(super) fn no_limit(request: &Value) -> Option<String> {
    (!request["max_tokens"].is_u64()).then(|| "max_tokens: Field required".into())
}

pub(super) fn no_messages(request: &Value) -> Option<String> {
    messages(request).is_empty().then(|| "messages: at least one message is required".into())
}

pub(super) fn system_message(request: &Value) -> Option<String> {
    let bad = |message: &Value| !matches!(word(&message["role"]), "user" | "assistant");
    messages(request).iter().any(bad).then(|| {
        "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.".into()
    })
}

pub(super) fn begins_with_assistant(request: &Value) -> Option<String> {
    (messages(request).first()?["role"] != "user").then(|| "messages: first message must use the \"user\" role".into())
}

pub(super) fn roles_alternate(request: &Value) -> Option<String> {
    let same = |pair: &[Value]| pair[0]["role"] == pair[1]["role"];
    messages(request).windows(2).any(same).then(|| {
        "messages: roles must alternate between \"user\" and \"assistant\", but found multiple rows in a row".into()
    })
}

/// Newer models take no beginning of an answer.
pub(super) fn ends_with_assistant(request: &Value) -> Option<String> {
    (messages(request).last()?["role"] == "assistant").then(|| {
        "This model does not support assistant message prefill. The conversation must end with a user message.".into()
    })
}

pub(super) fn blank_text(request: &Value) -> Option<String> {
    let blank = |block: &Value| block["type"] == "text" && word(&block["text"]).trim().is_empty();
    let of_system = list(&request["system"]).iter().any(blank);
    let of_messages =
        messages(request).iter().any(|message| blocks(message).is_empty() || blocks(message).iter().any(blank));
    (of_system || of_messages).then(|| "messages: text content blocks must be non-empty".into())
}

/// Each `tool_use` has a `tool_result` in the next message, and the reverse; results come first.
pub(super) fn unanswered(request: &Value) -> Option<String> {
    let all = messages(request);
    for (place, message) in all.iter().enumerate() {
        let used = ids(message, "tool_use", "id");
        let answered = all.get(place + 1).map(|next| ids(next, "tool_result", "tool_use_id")).unwrap_or_default();
        if let Some(id) = used.iter().find(|id| !answered.contains(id)) {
            return Some(format!(
                "messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}."
            ));
        }
        let before = place.checked_sub(1).map(|before| ids(&all[before], "tool_use", "id")).unwrap_or_default();
        if let Some(id) = ids(message, "tool_result", "tool_use_id").iter().find(|id| !before.contains(id)) {
            return Some(format!(
                "messages.{place}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {id}."
            ));
        }
    }
    None
}

pub(super) fn results_after_text(request: &Value) -> Option<String> {
    let late = |message: &Value| {
        let last_result = blocks(message).iter().rposition(|block| block["type"] == "tool_result");
        let first_text = blocks(message).iter().position(|block| block["type"] != "tool_result");
        message["role"] == "user" && last_result.zip(first_text).is_some_and(|(result, text)| text < result)
    };
    let place = messages(request).iter().position(late)?;
    Some(format!("messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after"))
}

pub(super) fn call_id_form(request: &Value) -> Option<String> {
    let fits =
        |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let all = messages(request).iter().flat_map(|message| ids(message, "tool_use", "id"));
    let bad = all.into_iter().find(|id| !fits(id))?;
    Some(format!("messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$': {bad}"))
}

pub(super) fn same_call_twice(request: &Value) -> Option<String> {
    let all: Vec<&str> = messages(request).iter().flat_map(|message| ids(message, "tool_use", "id")).collect();
    let twice = all.iter().enumerate().any(|(place, id)| all[..place].contains(id));
    twice.then(|| "messages: `tool_use` ids must be unique".into())
}

pub(super) fn input_not_object(request: &Value) -> Option<String> {
    let bad = |block: &Value| block["type"] == "tool_use" && !block["input"].is_object();
    messages(request)
        .iter()
        .flat_map(blocks)
        .any(bad)
        .then(|| "messages.1.content.0.tool_use.input: Input should be a valid dictionary".into())
}

pub(super) fn tools_not_defined(request: &Value) -> Option<String> {
    let used = messages(request).iter().flat_map(blocks).any(|block| block["type"] == "tool_use");
    (used && list(&request["tools"]).is_empty())
        .then(|| "Requests which include `tool_use` or `tool_result` blocks must define tools".into())
}

pub(super) fn union_at_the_top(request: &Value) -> Option<String> {
    let place = list(&request["tools"]).iter().position(|tool| {
        let schema = &tool["input_schema"];
        schema["type"] != "object" || ["anyOf", "oneOf", "allOf"].iter().any(|union| schema.get(union).is_some())
    })?;
    Some(format!(
        "tools.{place}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
    ))
}

pub(super) fn temperature(request: &Value) -> Option<String> {
    let given = request["temperature"].as_f64()?;
    (given > 1.0).then(|| "temperature: range: 0..1".into())
}

pub(super) fn removed_temperature(request: &Value) -> Option<String> {
    let model = request["model"].as_str().unwrap_or_default();
    (model.starts_with("claude-opus-4-7") && request.get("temperature").is_some())
        .then(|| "`temperature` is deprecated for this model.".into())
}

pub(super) fn trailing_space(request: &Value) -> Option<String> {
    let last = messages(request).iter().rfind(|message| message["role"] == "assistant")?;
    let text = blocks(last).iter().rfind(|block| block["type"] == "text")?;
    word(&text["text"])
        .ends_with(char::is_whitespace)
        .then(|| "messages: final assistant content cannot end with trailing whitespace".into())
}
