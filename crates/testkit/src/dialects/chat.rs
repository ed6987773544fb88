//! Checks of chat-completions servers.

use super::kinds::{Dialect, list, word};
use serde_json::{Value, json};

pub(super) fn accepted(dialect: &Dialect) -> Value {
    let call = json!({"id": "a1B2c3D4e", "type": "function", "function": {"name": "find", "arguments": "{\"q\":1}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}}});
    let mut request = json!({
        "model": dialect.model,
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a1B2c3D4e", "content": "3"},
            {"role": "assistant", "content": "three"},
            {"role": "user", "content": "and?"},
        ],
        "tools": [{"type": "function", "function": {"name": "find", "description": "Finds.",
            "parameters": {"type": "object", "properties": {"q": {"type": "integer"}}}}}],
    });
    if dialect.name == "DeepSeek" {
        request["messages"][2]["reasoning_content"] = "hm".into();
    }
    request
}

pub(super) fn answer(dialect: &Dialect, message: &Value) -> Value {
    let mut message = message.clone();
    let has_calls = !list(&message["tool_calls"]).is_empty();
    if dialect.name == "Gemini compatible" && has_calls {
        // https://ai.google.dev/gemini-api/docs/thought-signatures
        message["tool_calls"][0]["extra_content"] = json!({"google": {"thought_signature": "c2ln"}});
    }
    if dialect.name == "DeepSeek" {
        message["reasoning_content"] = "The person wants something.".into();
    }
    if dialect.name == "OpenRouter" {
        message["reasoning_details"] = json!([{"type": "reasoning.encrypted", "data": "b3BhcXVl", "index": 0}]);
    }
    let reason = if has_calls { "tool_calls" } else { "stop" };
    json!({"id": "x", "object": "chat.completion", "model": dialect.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

fn messages(request: &Value) -> &[Value] {
    list(&request["messages"])
}

/// Messages without the system prompt at the beginning.
fn talk(request: &Value) -> &[Value] {
    let all = messages(request);
    let begins = all.iter().position(|message| message["role"] != "system").unwrap_or(all.len());
    &all[begins..]
}

fn calls(message: &Value) -> &[Value] {
    list(&message["tool_calls"])
}

fn is_blank(message: &Value) -> bool {
    match &message["content"] {
        Value::Array(parts) => {
            let blank = |part: &Value| part["type"] == "text" && word(&part["text"]).trim().is_empty();
            parts.is_empty() || parts.iter().any(blank)
        }
        content => word(content).trim().is_empty(),
    }
}

pub(super) fn no_messages(request: &Value) -> Option<String> {
    talk(request).is_empty().then(|| "Invalid 'messages': empty array.".into())
}

pub(super) fn options_without_stream(request: &Value) -> Option<String> {
    let options = request.get("stream_options").is_some_and(|options| !options.is_null());
    (options && request["stream"] != true)
        .then(|| "The 'stream_options' parameter is only allowed when 'stream' is enabled.".into())
}

pub(super) fn stream_options(request: &Value) -> Option<String> {
    request.get("stream_options").map(|_| {
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs are not permitted"}]}"#.into()
    })
}

/// An organization that is not verified.
pub(super) fn stream_unverified(request: &Value) -> Option<String> {
    (request["stream"] == true).then(|| {
        "Your organization must be verified to stream this model. Please go to the settings of your organization."
            .into()
    })
}

/// Every call has results right behind it, and every result a call.
pub(super) fn unanswered(request: &Value) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages(request) {
        if message["role"] == "tool" {
            let id = word(&message["tool_call_id"]);
            let Some(place) = open.iter().position(|known| *known == id) else {
                return Some(
                    "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.".into(),
                );
            };
            open.remove(place);
            continue;
        }
        if !open.is_empty() {
            break;
        }
        open.extend(calls(message).iter().map(|call| word(&call["id"])));
    }
    (!open.is_empty()).then(|| {
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
            open.join(", ")
        )
    })
}

pub(super) fn null_content(request: &Value) -> Option<String> {
    let bad = messages(request).iter().find(|message| message["content"].is_null() && calls(message).is_empty());
    bad.map(|_| "Invalid value for 'content': expected a string, got null.".into())
}

/// Assistant messages have content or calls.
pub(super) fn empty_assistant(request: &Value) -> Option<String> {
    let bad = |message: &&Value| message["role"] == "assistant" && is_blank(message) && calls(message).is_empty();
    messages(request)
        .iter()
        .find(bad)
        .map(|_| "Assistant message must have either content or tool_calls, but not none.".into())
}

pub(super) fn bad_name(request: &Value) -> Option<String> {
    let fits = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let of_calls = messages(request).iter().flat_map(calls);
    let named = of_calls.chain(list(&request["tools"])).map(|one| word(&one["function"]["name"]));
    let bad = named.into_iter().find(|name| !fits(name));
    bad.map(|name| format!("Invalid 'tools[0].function.name': '{name}' does not match '^[a-zA-Z0-9_-]+$'."))
}

pub(super) fn long_description(request: &Value) -> Option<String> {
    let long = |tool: &&Value| word(&tool["function"]["description"]).chars().count() > 1_024;
    list(&request["tools"]).iter().find(long).map(|tool| {
        format!("Invalid tools: the description of '{}' is longer than 1024.", word(&tool["function"]["name"]))
    })
}

pub(super) fn same_tool_twice(request: &Value) -> Option<String> {
    let names: Vec<&str> = list(&request["tools"]).iter().map(|tool| word(&tool["function"]["name"])).collect();
    let twice = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
    twice.map(|(_, name)| format!("Tool names must be unique: {name}"))
}

/// Schemas of tools are objects, without unions at the top, and arrays have items.
pub(super) fn bad_schema(request: &Value) -> Option<String> {
    list(&request["tools"]).iter().find_map(|tool| {
        let schema = &tool["function"]["parameters"];
        let why = schema_fault(schema)?;
        Some(format!("Invalid schema for function '{}': {why}", word(&tool["function"]["name"])))
    })
}

pub(super) fn schema_fault(schema: &Value) -> Option<&'static str> {
    if schema.is_null() {
        return None;
    }
    let unions = ["anyOf", "oneOf", "allOf", "enum", "not"];
    if schema["type"] != "object" || unions.iter().any(|union| schema.get(union).is_some()) {
        return Some(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        );
    }
    if !schema["properties"].is_object() {
        return Some("object schema missing properties.");
    }
    array_without_items(schema).then_some("array schema missing items.")
}

fn array_without_items(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            (fields.get("type").is_some_and(|kind| kind == "array") && !fields.contains_key("items"))
                || fields.values().any(array_without_items)
        }
        Value::Array(items) => items.iter().any(array_without_items),
        _ => false,
    }
}

pub(super) fn arguments_not_json(request: &Value) -> Option<String> {
    let bad = |call: &&Value| {
        let parsed: Result<Value, _> = serde_json::from_str(word(&call["function"]["arguments"]));
        !parsed.is_ok_and(|value| value.is_object())
    };
    messages(request).iter().flat_map(calls).find(bad).map(|_| "Failed to parse tool call arguments as JSON".into())
}

pub(super) fn old_limit_name(request: &Value) -> Option<String> {
    request.get("max_tokens").map(|_| {
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            .into()
    })
}

pub(super) fn new_limit_name(request: &Value) -> Option<String> {
    request.get("max_completion_tokens").map(|_| "Unrecognized request argument supplied: max_completion_tokens".into())
}

pub(super) fn temperature(request: &Value) -> Option<String> {
    let given = request.get("temperature").filter(|given| **given != 1)?;
    Some(format!(
        "Unsupported value: 'temperature' does not support {given} with this model. Only the default (1) value is supported."
    ))
}

pub(super) fn effort(request: &Value) -> Option<String> {
    request.get("reasoning_effort").map(|_| "Unrecognized request argument supplied: reasoning_effort".into())
}

/// Nine letters and digits.
pub(super) fn call_id_form(request: &Value) -> Option<String> {
    let of_results =
        messages(request).iter().filter(|message| message["role"] == "tool").map(|message| &message["tool_call_id"]);
    let of_calls = messages(request).iter().flat_map(calls).map(|call| &call["id"]);
    let fits = |id: &str| id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let bad = of_calls.chain(of_results).map(word).find(|id| !fits(id));
    bad.map(|id| format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."))
}

pub(super) fn long_call_id(request: &Value) -> Option<String> {
    let bad = messages(request).iter().flat_map(calls).map(|call| word(&call["id"])).find(|id| id.len() > 40);
    bad.map(|id| {
        format!("Invalid 'messages[2].tool_calls[0].id': string too long. Expected at most 40, but got {}.", id.len())
    })
}

pub(super) fn user_after_tool(request: &Value) -> Option<String> {
    let after = |pair: &[Value]| pair[0]["role"] == "tool" && pair[1]["role"] == "user";
    messages(request).windows(2).any(after).then(|| "Unexpected role 'user' after role 'tool'".into())
}

pub(super) fn tool_after_user(request: &Value) -> Option<String> {
    let after = |pair: &[Value]| pair[0]["role"] == "user" && pair[1]["role"] == "tool";
    messages(request).windows(2).any(after).then(|| "Unexpected role 'tool' after role 'user'".into())
}

/// The last message is a person's or a result.
pub(super) fn ends_with_assistant(request: &Value) -> Option<String> {
    let last = messages(request).last()?;
    (last["role"] == "assistant")
        .then(|| "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant".into())
}

/// llama.cpp: the last two messages are not both the assistant's.
pub(super) fn two_assistants_at_the_end(request: &Value) -> Option<String> {
    let all = messages(request);
    let two = all.len() >= 2 && all[all.len() - 2..].iter().all(|message| message["role"] == "assistant");
    two.then(|| "Cannot have 2 or more assistant messages at the end of the list.".into())
}

/// Templates of Mistral, Gemma and Llama 2: a person begins, and roles alternate. Calls with their
/// results count as part of the assistant's turn; `user_after_tool` is stricter.
pub(super) fn roles_alternate(request: &Value) -> Option<String> {
    let refused = || Some("Conversation roles must alternate user/assistant/user/assistant/...".to_owned());
    let mut before = "assistant";
    for message in talk(request) {
        let role = word(&message["role"]);
        if role == before && role != "tool" || before == "assistant" && role == "tool" {
            return refused();
        }
        // A call is answered by results, and these by any role.
        before = if role == "assistant" && !calls(message).is_empty() { "calls" } else { role };
    }
    (word(&talk(request).first()?["role"]) != "user").then(refused).flatten()
}

pub(super) fn second_system(request: &Value) -> Option<String> {
    let later = talk(request).iter().any(|message| message["role"] == "system");
    later.then(|| "System message must be at the beginning.".into())
}

pub(super) fn blank_content(request: &Value) -> Option<String> {
    let blank = |message: &&Value| is_blank(message) && calls(message).is_empty();
    messages(request)
        .iter()
        .find(blank)
        .map(|_| "messages: text content blocks must contain non-whitespace text".into())
}

/// Thinking models of DeepSeek want the reasoning of each call back.
pub(super) fn reasoning_missing(request: &Value) -> Option<String> {
    let missing = |message: &Value| !calls(message).is_empty() && message.get("reasoning_content").is_none();
    let place = messages(request).iter().position(missing)?;
    Some(format!("Missing `reasoning_content` field in the assistant message at message index {place}."))
}

/// Members of messages that OpenAI's protocol does not have.
pub(super) fn unknown_member(request: &Value) -> Option<String> {
    const KNOWN: [&str; 6] = ["role", "content", "name", "tool_calls", "tool_call_id", "refusal"];
    messages(request).iter().enumerate().find_map(|(place, message)| {
        let mut names = message.as_object()?.keys();
        let name = names.find(|name| !KNOWN.contains(&name.as_str()))?;
        Some(format!("'messages.{place}' : property '{name}' is unsupported"))
    })
}

/// The first call of each answer has its signature.
pub(super) fn signature_missing(request: &Value) -> Option<String> {
    let first = |message: &&Value| {
        calls(message).first().is_some_and(|call| call["extra_content"]["google"]["thought_signature"].is_null())
    };
    let bad = messages(request).iter().find(first)?;
    let name = word(&bad["tool_calls"][0]["function"]["name"]);
    Some(format!(
        "Function call is missing a thought_signature in functionCall parts. Additional data, function call `default_api:{name}`, position 2."
    ))
}
