//! Separates what an answer says from the reasoning that its server marked as private.
//! Reasoning inside of plain text is found by the engine, which has the rules for it.

use serde_json::Value;

/// Members of a message that hold reasoning: DeepSeek, vLLM, llama.cpp and Z.ai write
/// `reasoning_content`, OpenRouter, Groq and newer vLLM `reasoning`, Ollama `thinking`. OpenRouter
/// repeats it in `reasoning_details`, which is used only where the others are missing.
const MEMBERS: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "thought"];

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) text: String,
    pub(super) reasoning: String,
}

/// Reads the content and the reasoning members of a message.
pub(super) fn of_message(message: &Value) -> Parts {
    let mut parts = Parts::default();
    if let Some(content) = message.get("content") {
        parts.add_content(content);
    }
    let before = parts.reasoning.len();
    for member in MEMBERS {
        let text = message.get(member).map(text_in).unwrap_or_default();
        // Servers that serve two client generations send the same text under two names.
        if !text.trim().is_empty() && !parts.reasoning.contains(text.trim()) {
            parts.add_reasoning(&text);
        }
    }
    if parts.reasoning.len() == before
        && let Some(details) = message.get("reasoning_details")
    {
        parts.add_reasoning(&text_in(details));
    }
    parts
}

impl Parts {
    fn add_content(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.text.push_str(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_part(item)),
            Value::Object(_) => self.add_part(content),
            _ => {}
        }
    }

    /// Only parts without a type or of a text type are said. A part of another type that holds text
    /// (`thinking`, `reasoning`, `reasoning.summary`, …) is private.
    fn add_part(&mut self, part: &Value) {
        if let Some(text) = part.as_str() {
            return self.text.push_str(text);
        }
        let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
        let private = part.get("thought").is_some_and(|thought| thought.as_bool() == Some(true));
        if matches!(kind, "text" | "output_text" | "refusal") && !private {
            let said = part.get("text").or_else(|| part.get("refusal"));
            self.text.push_str(said.and_then(Value::as_str).unwrap_or_default());
        } else {
            self.add_reasoning(&text_in(part));
        }
    }

    fn add_reasoning(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if !self.reasoning.is_empty() {
            self.reasoning.push('\n');
        }
        self.reasoning.push_str(text);
    }
}

/// All text of a reasoning value: a string, a list, or an object with text in one of its members.
fn text_in(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_in).collect(),
        Value::Object(fields) => ["text", "thinking", "reasoning", "summary", "content"]
            .iter()
            .filter_map(|name| fields.get(*name))
            .map(text_in)
            .collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasoning_of_every_server_is_private() {
        for message in [
            json!({"content": "hi", "reasoning_content": "secret"}),
            json!({"content": "hi", "reasoning": "secret"}),
            json!({"content": "hi", "reasoning": "secret", "reasoning_content": "secret"}),
            json!({"content": "hi", "thinking": "secret"}),
            json!({"content": "hi", "reasoning": {"content": "secret"}}),
            json!({"content": "hi", "reasoning": "secret", "reasoning_details": [{"text": "secret"}]}),
            json!({"content": "hi", "reasoning_details": [{"type": "reasoning.summary", "summary": "secret"}]}),
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "secret"}]}, {"type": "text", "text": "hi"}]}),
            json!({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "secret"}]}, "hi"]}),
            json!({"content": [{"text": "secret", "thought": true}, {"text": "hi"}]}),
            json!({"content": [{"type": "redacted_thinking", "data": "x"}, {"type": "reasoning", "text": "secret"}, {"type": "output_text", "text": "hi"}]}),
            json!({"content": {"type": "text", "text": "hi"}, "thought": "secret"}),
        ] {
            let parts = of_message(&message);
            assert_eq!((parts.text.as_str(), parts.reasoning.as_str()), ("hi", "secret"), "{message}");
        }
        assert_eq!(of_message(&json!({"content": null, "reasoning": null, "thought": true})), Parts::default());
    }
}
