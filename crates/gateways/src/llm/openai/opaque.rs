//! Opaque parts of answers in OpenAI's format: `reasoning_content` (DeepSeek, vLLM, llama.cpp),
//! `reasoning_details` (OpenRouter) and unknown members of a call, such as Gemini's
//! `extra_content.google.thought_signature`. They are kept as
//! `{"message": {…}, "calls": [{…}, …]}`.

use crate::llm::dialect::Dialect;
use domain::chat::Opaque;
use serde_json::{Map, Value, json};

/// Members of a message that are given back.
const KEPT: [&str; 2] = ["reasoning_content", "reasoning_details"];
/// Members of a call that every server knows.
const KNOWN: [&str; 4] = ["id", "type", "function", "index"];
/// More bytes are not kept: they would be sent again with every later request.
const ROOM: usize = 128 * 1024;
/// Google's value for calls that have no signature of their own
/// (https://ai.google.dev/gemini-api/docs/thought-signatures).
pub(in crate::llm) const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// True for a member of a call that every server knows.
pub(super) fn is_known(member: &str) -> bool {
    KNOWN.contains(&member)
}

/// The parts of an assistant message; the caller names the provider.
pub(super) fn of(message: &Value) -> Option<Opaque> {
    let known = |name: &&&str| message.get(**name).is_some_and(|value| !value.is_null() && *value != "");
    let of_message: Map<String, Value> =
        KEPT.iter().filter(known).map(|name| ((*name).to_owned(), message[*name].clone())).collect();
    let calls = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_calls: Vec<Value> = calls.iter().filter(|call| call.get("function").is_some()).map(extra).collect();
    let nothing = of_message.is_empty() && of_calls.iter().all(|call| call.as_object().is_none_or(Map::is_empty));
    let parts = json!({"message": of_message, "calls": of_calls});
    (!nothing && parts.to_string().len() <= ROOM).then(|| Opaque { provider: String::new(), parts })
}

fn extra(call: &Value) -> Value {
    let fields = call.as_object().into_iter().flatten();
    let unknown = fields.filter(|(name, value)| !is_known(name) && !value.is_null());
    Value::Object(unknown.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Adds parts to the message that they came with. `filled`: a message with calls gets generic ones
/// where it has none.
pub(super) fn give_back(message: &mut Map<String, Value>, parts: Option<&Value>, dialect: Dialect, filled: bool) {
    let has_calls = message.contains_key("tool_calls");
    for (name, value) in parts.and_then(|parts| parts["message"].as_object()).into_iter().flatten() {
        // DeepSeek wants the reasoning of a call back, and no other.
        if has_calls || name != "reasoning_content" {
            message.insert(name.clone(), value.clone());
        }
    }
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        for (place, call) in calls.iter_mut().enumerate() {
            let extra = parts.and_then(|parts| parts["calls"].get(place)?.as_object());
            for (name, value) in extra.into_iter().flatten() {
                call[name] = value.clone();
            }
            let bare = place == 0 && call.get("extra_content").is_none();
            if filled && bare && dialect == Dialect::GeminiCompatible {
                call["extra_content"] = json!({"google": {"thought_signature": NO_SIGNATURE}});
            }
        }
    }
    if filled && has_calls && dialect != Dialect::GeminiCompatible {
        message.entry("reasoning_content").or_insert_with(|| "".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_answer_are_given_back_with_its_message() {
        let signature = json!({"google": {"thought_signature": "s"}});
        let message = json!({"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}, "extra_content": signature},
            {"id": "2", "type": "function", "function": {"name": "b", "arguments": "{}"}}]});
        let parts = of(&message).unwrap().parts;
        let mut again = message.as_object().unwrap().clone();
        again.remove("reasoning_content");
        again["tool_calls"][0].as_object_mut().unwrap().remove("extra_content");
        give_back(&mut again, Some(&parts), Dialect::Compatible, false);
        assert_eq!(Value::Object(again), message);
        assert_eq!(of(&json!({"content": "x", "reasoning_content": ""})), None);
    }

    #[test]
    fn generic_parts_fill_what_is_missing() {
        let message = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "1"}, {"id": "2"}]});
        let filled = |dialect| {
            let mut message = message.as_object().unwrap().clone();
            give_back(&mut message, None, dialect, true);
            Value::Object(message)
        };
        assert_eq!(filled(Dialect::DeepSeek)["reasoning_content"], "");
        let gemini = filled(Dialect::GeminiCompatible);
        assert_eq!(gemini["tool_calls"][0]["extra_content"]["google"]["thought_signature"], NO_SIGNATURE);
        assert!(gemini["tool_calls"][1].get("extra_content").is_none());
    }
}
