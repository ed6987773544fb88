//! Answers that are one JSON object in place of words.

use super::{code, separated::Separated};
use serde_json::Value;

const PRIVATE: [&str; 9] = [
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "analysis",
    "scratchpad",
    "internal_thoughts",
    "chain_of_thought",
    "reflection",
];
const REPLY: [&str; 9] =
    ["response", "answer", "reply", "message", "final_answer", "final", "text", "content", "output"];
/// Longer texts are no wrapped reply. Bytes.
const LONGEST: usize = 64 * 1024;

/// The reply of an object that holds reasoning and a reply, or a reply alone. Any other text is
/// unchanged.
pub(super) fn reply_of_json(text: &str, found: &mut Separated) -> String {
    let inner = code::inside_of_fence(text).unwrap_or(text).trim();
    if !inner.starts_with('{') || inner.len() > LONGEST {
        return text.to_owned();
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(inner) else { return text.to_owned() };
    let is = |names: &[&str], name: &str| names.contains(&name.to_ascii_lowercase().as_str());
    if !fields.keys().all(|name| is(&PRIVATE, name) || is(&REPLY, name)) {
        return text.to_owned();
    }
    let replies: Vec<&str> =
        fields.iter().filter(|(name, _)| is(&REPLY, name)).filter_map(|(_, value)| value.as_str()).collect();
    let private: Vec<&Value> = fields.iter().filter(|(name, _)| is(&PRIVATE, name)).map(|(_, value)| value).collect();
    if replies.len() > 1 || (replies.is_empty() && private.is_empty()) {
        return text.to_owned();
    }
    for value in private {
        found.hide(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    replies.first().copied().unwrap_or_default().to_owned()
}
