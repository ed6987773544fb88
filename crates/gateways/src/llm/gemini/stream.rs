//! Folds the responses of `streamGenerateContent` into the one of `generateContent`: each event
//! has the next parts (https://ai.google.dev/api/generate-content).

use crate::llm::stream::{Excess, Fold, Kind, Room, Taken, text_of};
use serde_json::{Map, Value, json};

#[derive(Debug, Default)]
pub(in crate::llm) struct Responses {
    /// Everything but the candidates; the last event counts.
    fields: Map<String, Value>,
    parts: Vec<Value>,
    finish_reason: Value,
    failed: Option<Value>,
}

impl Fold for Responses {
    fn take(&mut self, mut event: Value, room: &mut Room) -> Taken {
        if event.get("error").is_some_and(|error| !error.is_null()) {
            room.value(&event)?;
            self.failed = Some(event);
            return Ok(Kind::Last);
        }
        for name in ["promptFeedback", "usageMetadata", "modelVersion"] {
            if let Some(value) = event.get_mut(name).filter(|value| !value.is_null()) {
                room.value(value)?;
                self.fields.insert(name.into(), value.take());
            }
        }
        let Some(candidate) = event.pointer_mut("/candidates/0") else { return Ok(Kind::Other) };
        if let Some(reason) = candidate.get_mut("finishReason").filter(|reason| !reason.is_null()) {
            room.value(reason)?;
            self.finish_reason = reason.take();
        }
        let mut kind = Kind::Other;
        if let Some(Value::Array(parts)) = candidate.pointer_mut("/content/parts").map(Value::take) {
            for part in parts {
                if part.get("functionCall").is_some() || !text_of(part.get("text")).is_empty() {
                    kind = Kind::Content;
                }
                self.add(part, room)?;
            }
        }
        Ok(kind)
    }

    fn has_ended(&self) -> bool {
        let blocked = self.fields.get("promptFeedback").is_some_and(|feedback| feedback.get("blockReason").is_some());
        blocked || self.failed.is_some() || !self.finish_reason.is_null()
    }

    fn into_answer(self: Box<Self>) -> Value {
        if let Some(failed) = self.failed {
            return failed;
        }
        let mut fields = self.fields;
        if !self.finish_reason.is_null() {
            let candidate = json!({"content": {"parts": self.parts}, "finishReason": self.finish_reason});
            fields.insert("candidates".into(), vec![candidate].into());
        }
        Value::Object(fields)
    }
}

impl Responses {
    /// Adds a part. A text continues the one before it, unless a signature belongs to one of them:
    /// signed parts are not joined (https://ai.google.dev/gemini-api/docs/thought-signatures).
    fn add(&mut self, part: Value, room: &mut Room) -> Result<(), Excess> {
        let is_plain = |part: &Value| {
            let fields = part.as_object();
            fields.is_some_and(|fields| fields.keys().all(|name| matches!(name.as_str(), "text" | "thought")))
        };
        let joins = |last: &&mut Value| is_plain(last) && is_plain(&part) && last.get("thought") == part.get("thought");
        if let Some(Value::String(text)) = self.parts.last_mut().filter(joins).and_then(|last| last.get_mut("text")) {
            let more = text_of(part.get("text"));
            room.text(more)?;
            text.push_str(more);
            return Ok(());
        }
        room.value(&part)?;
        self.parts.push(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::gemini::read;

    fn event(parts: Value) -> Value {
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}}],
            "modelVersion": "gemini-x", "usageMetadata": {"promptTokenCount": 5}})
    }

    #[test]
    fn parts_come_in_order_and_keep_their_signatures() {
        let mut fold = Box::<Responses>::default();
        let mut room = Room::of(1 << 20);
        let content = [
            event(json!([{"text": "h", "thought": true}])),
            event(json!([{"text": "m", "thought": true}])),
            event(json!([{"text": "o"}])),
            event(json!([{"text": "k"}])),
            event(json!([{"functionCall": {"name": "find", "args": {"q": 1}}, "thoughtSignature": "s1"}])),
            event(json!([{"functionCall": {"name": "now", "args": {}}}])),
        ];
        for event in content {
            assert_eq!(fold.take(event, &mut room), Ok(Kind::Content));
        }
        assert!(!fold.has_ended());
        // A signature of the text, in an empty part of its own.
        let last = json!({"candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "s2"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}});
        assert_eq!(fold.take(last, &mut room), Ok(Kind::Other));
        assert!(fold.has_ended());
        let answer = read(&fold.into_answer()).unwrap();
        assert_eq!((answer.text.as_deref(), answer.reasoning.as_deref()), (Some("ok"), Some("hm")));
        assert_eq!(answer.tool_calls.len(), 2);
        assert_eq!(answer.opaque.unwrap().parts, json!({"calls": ["s1", null], "text": "s2"}));
        assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (5, 3));
    }

    #[test]
    fn blocked_prompts_and_errors_end_the_stream() {
        for (event, status) in [
            (json!({"promptFeedback": {"blockReason": "SAFETY"}}), 400),
            (json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}), 503),
        ] {
            let mut fold = Box::<Responses>::default();
            fold.take(event, &mut Room::of(1_000)).unwrap();
            assert!(fold.has_ended());
            assert_eq!(read(&fold.into_answer()).unwrap_err().status, status);
        }
    }
}
