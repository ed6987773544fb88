//! Folds chunks of chat completions into the answer that comes without streaming
//! (https://platform.openai.com/docs/api-reference/chat/streaming).

use super::opaque;
use crate::llm::stream::{Excess, Fold, Kind, Room, Taken, merge, text_of};
use serde_json::{Map, Value, json};

/// Members of a message that the reader uses: the content, a refusal, and reasoning by the names of
/// its servers.
const KEPT: [&str; 7] =
    ["content", "refusal", "reasoning_content", "reasoning", "thinking", "thought", "reasoning_details"];

/// Calls of one answer; `bounds` keeps fewer. Each piece is looked for among them.
const CALLS: usize = 256;

#[derive(Debug, Default)]
pub(in crate::llm) struct Chunks {
    message: Map<String, Value>,
    calls: Vec<Call>,
    finish_reason: Value,
    /// Of the choice.
    error: Value,
    usage: Value,
    model: String,
    /// The event that ended the stream.
    failed: Option<Value>,
}

/// A call, as far as it came.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    fields: Map<String, Value>,
}

impl Call {
    fn id(&self) -> &str {
        text_of(self.fields.get("id"))
    }
}

impl Fold for Chunks {
    fn take(&mut self, mut event: Value, room: &mut Room) -> Taken {
        if let Some(error) = error_in(&event) {
            room.value(&error)?;
            self.failed = Some(error);
            return Ok(Kind::Last);
        }
        // Groq's place for it (https://github.com/Portkey-AI/gateway/issues/1072).
        for usage in ["/usage", "/x_groq/usage"] {
            if let Some(usage) = event.pointer_mut(usage).filter(|usage| usage.is_object()) {
                room.value(usage)?;
                self.usage = usage.take();
            }
        }
        if self.model.is_empty() {
            let model = text_of(event.get("model"));
            room.text(model)?;
            model.clone_into(&mut self.model);
        }
        // The list is empty or null in Azure's first chunk
        // (https://github.com/AbanteAI/archive-old-cli-mentat/issues/429) and in those of usage.
        let Some(choices) = event.get_mut("choices").and_then(Value::as_array_mut) else { return Ok(Kind::Other) };
        let first = choices.iter_mut().find(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0);
        let Some(choice) = first.and_then(Value::as_object_mut) else { return Ok(Kind::Other) };
        for (name, kept) in [("finish_reason", &mut self.finish_reason), ("error", &mut self.error)] {
            if let Some(value) = choice.get_mut(name).filter(|value| !value.is_null() && **value != "") {
                room.value(value)?;
                *kept = value.take();
            }
        }
        match choice.get_mut("delta").map(Value::take) {
            Some(Value::Object(delta)) => return self.add(delta, room),
            Some(_) => return Ok(Kind::Other),
            None => {}
        }
        // The whole answer in one event, by servers that only imitate a stream.
        match choice.get_mut("message").map(Value::take) {
            Some(Value::Object(message)) if self.message.is_empty() && self.calls.is_empty() => self.add(message, room),
            _ => Ok(Kind::Other),
        }
    }

    fn has_ended(&self) -> bool {
        self.failed.is_some() || !self.finish_reason.is_null()
    }

    fn into_answer(self: Box<Self>) -> Value {
        if let Some(failed) = self.failed {
            return failed;
        }
        let mut message = self.message;
        if !self.calls.is_empty() {
            let calls: Vec<Value> = self.calls.into_iter().map(|call| Value::Object(call.fields)).collect();
            message.insert("tool_calls".into(), calls.into());
        }
        let mut choice = json!({"finish_reason": self.finish_reason, "message": message});
        if !self.error.is_null() {
            choice["error"] = self.error;
        }
        json!({"model": self.model, "choices": [choice], "usage": self.usage})
    }
}

impl Chunks {
    fn add(&mut self, delta: Map<String, Value>, room: &mut Room) -> Taken {
        let mut kind = Kind::Other;
        for (name, value) in delta {
            let nothing = match &value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                _ => false,
            };
            if nothing {
                continue;
            }
            match (name.as_str(), value) {
                ("tool_calls", Value::Array(calls)) => {
                    calls.into_iter().try_for_each(|call| self.add_call(call, room))?;
                }
                // The old form with a single call.
                ("function_call", function @ Value::Object(_)) => {
                    self.add_call(json!({"index": 0, "function": function}), room)?;
                }
                (known, value) if KEPT.contains(&known) => {
                    merge(self.message.entry(name).or_insert(Value::Null), value, room)?;
                }
                _ => continue,
            }
            kind = Kind::Content;
        }
        Ok(kind)
    }

    fn add_call(&mut self, piece: Value, room: &mut Room) -> Result<(), Excess> {
        let Value::Object(mut piece) = piece else { return Ok(()) };
        let place = self.place_of(&piece);
        let index = piece.remove("index").as_ref().and_then(Value::as_u64);
        let Some(call) = place.and_then(|place| self.calls.get_mut(place)) else {
            let fields = Value::Object(piece);
            room.value(&fields)?;
            if let Value::Object(fields) = fields
                && self.calls.len() < CALLS
            {
                self.calls.push(Call { index, fields });
            }
            return Ok(());
        };
        if let Some(Value::Object(function)) = piece.remove("function") {
            let known = call.fields.entry("function").or_insert_with(|| json!({}));
            for (name, value) in function {
                // llama.cpp repeated the name in each piece
                // (https://github.com/ggml-org/llama.cpp/pull/12379); others send it in pieces.
                if name == "name" && known.get("name") == Some(&value) {
                    continue;
                }
                if let Some(known) = known.as_object_mut() {
                    merge(known.entry(name).or_insert(Value::Null), value, room)?;
                }
            }
        }
        for (name, value) in piece {
            if opaque::is_known(&name) && call.fields.get(&name).is_some_and(|known| !known.is_null() && known != "") {
                continue;
            }
            room.value(&value)?;
            if !value.is_null() {
                call.fields.insert(name, value);
            }
        }
        Ok(())
    }

    /// The call that a piece belongs to. Pieces have an index; Mistral's and some others have none,
    /// and Gemini's parallel calls all have 0 (https://github.com/QuantumNous/new-api/pull/2701).
    fn place_of(&self, piece: &Map<String, Value>) -> Option<usize> {
        let id = text_of(piece.get("id"));
        let named = piece.get("function").is_some_and(|function| !text_of(function.get("name")).is_empty());
        let of_id = || self.calls.iter().rposition(|call| call.id() == id);
        let Some(index) = piece.get("index").and_then(Value::as_u64) else {
            return match (id.is_empty(), named) {
                (true, true) => None,
                (true, false) => self.calls.len().checked_sub(1),
                (false, _) => of_id(),
            };
        };
        let place = self.calls.iter().rposition(|call| call.index == Some(index))?;
        let other = !id.is_empty() && !self.calls[place].id().is_empty() && self.calls[place].id() != id;
        if other && named { of_id() } else { Some(place) }
    }
}

/// An event that is an error, in the form that the reader knows: OpenAI, SGLang and OpenRouter send
/// `error`, vLLM its members without it (https://github.com/block/goose/pull/8031), Groq a text in
/// `x_groq`.
fn error_in(event: &Value) -> Option<Value> {
    if event.get("error").is_some_and(|error| !error.is_null()) {
        return Some(event.clone());
    }
    if event.get("object").is_some_and(|object| object == "error") {
        return Some(json!({"error": event}));
    }
    let error = event.pointer("/x_groq/error").filter(|error| !error.is_null())?;
    Some(json!({"error": {"message": error}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::openai::response;

    fn folded(deltas: &[Value]) -> Value {
        let mut fold = Box::<Chunks>::default();
        let mut room = Room::of(1 << 20);
        for delta in deltas {
            let chunk = json!({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
            fold.take(chunk, &mut room).unwrap();
        }
        assert!(!fold.has_ended());
        fold.take(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}), &mut room).unwrap();
        assert!(fold.has_ended());
        fold.take(json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}), &mut room).unwrap();
        fold.into_answer()
    }

    fn call(index: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: &str) -> Value {
        json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": arguments}}]})
    }

    fn calls(deltas: &[Value]) -> Vec<(String, String, Value)> {
        let answer = response::read(&folded(deltas)).unwrap();
        answer.tool_calls.into_iter().map(|call| (call.id, call.name, call.arguments)).collect()
    }

    #[test]
    fn pieces_of_text_and_reasoning_become_one_answer() {
        let answer = folded(&[
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "h"}),
            json!({"reasoning_content": "m", "content": null}),
            json!({"content": "o"}),
            json!({"content": "k", "unknown": [1]}),
        ]);
        assert_eq!(
            answer,
            json!({"model": "m", "choices": [{"finish_reason": "tool_calls",
                "message": {"reasoning_content": "hm", "content": "ok"}}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
        );
    }

    #[test]
    fn pieces_of_parallel_calls_may_alternate() {
        let expected =
            [("c1".to_owned(), "a".to_owned(), json!({"x": 1})), ("c2".to_owned(), "b".to_owned(), json!({"y": 2}))];
        for deltas in [
            // OpenAI.
            vec![
                call(Some(0), Some("c1"), Some("a"), ""),
                call(Some(1), Some("c2"), Some("b"), ""),
                call(Some(0), None, None, "{\"x\":"),
                call(Some(1), None, None, "{\"y\":2"),
                call(Some(0), None, None, "1}"),
                call(Some(1), None, None, "}"),
            ],
            // The id and the name in each piece.
            vec![
                call(Some(0), Some("c1"), Some("a"), "{\"x\":"),
                call(Some(0), Some("c1"), Some("a"), "1}"),
                call(Some(1), Some("c2"), Some("b"), "{\"y\":2}"),
            ],
            // Mistral and Gemini.
            vec![call(None, Some("c1"), Some("a"), "{\"x\":1}"), call(None, Some("c2"), Some("b"), "{\"y\":2}")],
            vec![call(Some(0), Some("c1"), Some("a"), "{\"x\":1}"), call(Some(0), Some("c2"), Some("b"), "{\"y\":2}")],
        ] {
            assert_eq!(calls(&deltas), expected, "{deltas:?}");
        }
    }

    #[test]
    fn unknown_members_of_a_call_are_kept() {
        let signature = json!({"google": {"thought_signature": "s"}});
        let mut piece = call(Some(0), Some("c1"), Some("a"), "{}");
        piece["tool_calls"][0]["extra_content"] = signature.clone();
        let answer = folded(&[piece]);
        assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["extra_content"], signature);
    }

    #[test]
    fn error_events_end_the_stream_with_their_status() {
        for (event, status) in [
            (
                json!({"error": {"code": 429, "message": "slow"}, "choices": [{"delta": {}, "finish_reason": "error"}]}),
                429,
            ),
            (json!({"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}), 400),
            (json!({"error": {"message": "x", "type": "server_error"}}), 502),
            (json!({"x_groq": {"error": "over capacity"}}), 502),
        ] {
            let mut fold = Box::<Chunks>::default();
            assert_eq!(fold.take(event.clone(), &mut Room::of(1_000)), Ok(Kind::Last), "{event}");
            assert_eq!(response::read(&fold.into_answer()).unwrap_err().status, status, "{event}");
        }
    }

    #[test]
    fn usage_is_read_from_the_places_of_its_servers() {
        for chunk in [
            json!({"choices": null, "usage": {"prompt_tokens": 3}}),
            json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": {"prompt_tokens": 3}}}),
        ] {
            let mut fold = Box::<Chunks>::default();
            fold.take(chunk, &mut Room::of(1_000)).unwrap();
            fold.take(json!({"choices": [], "usage": null}), &mut Room::of(1_000)).unwrap();
            assert_eq!(response::read(&fold.into_answer()).unwrap().usage.input_tokens, 3);
        }
    }
}
