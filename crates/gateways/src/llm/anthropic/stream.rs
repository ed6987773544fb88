//! Folds the events of Messages into the message that comes without streaming
//! (https://docs.anthropic.com/en/api/messages-streaming).

use crate::llm::{
    arguments,
    stream::{Excess, Fold, Kind, Room, Taken, merge, text_of},
};
use domain::limits::MODEL_VALUES;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(in crate::llm) struct Events {
    message: Map<String, Value>,
    /// By their index.
    blocks: BTreeMap<u64, Block>,
    stopped: bool,
    /// The event that ended the stream.
    failed: Option<Value>,
}

#[derive(Debug, Default)]
struct Block {
    fields: Map<String, Value>,
    /// Arguments of a call, as far as they came.
    json: String,
}

impl Fold for Events {
    fn take(&mut self, mut event: Value, room: &mut Room) -> Taken {
        // New kinds of events and deltas may be added, so unknown ones are passed over.
        match text_of(event.get("type")) {
            "message_start" => {
                if let Some(Value::Object(mut message)) = event.get_mut("message").map(Value::take) {
                    message.remove("content");
                    let message = Value::Object(message);
                    room.value(&message)?;
                    self.message = if let Value::Object(message) = message { message } else { Map::new() };
                }
                Ok(Kind::Other)
            }
            "content_block_start" => self.start(&mut event, room),
            "content_block_delta" => self.add(&mut event, room),
            "message_delta" => {
                self.change(event, room)?;
                Ok(Kind::Other)
            }
            "message_stop" => {
                self.stopped = true;
                Ok(Kind::Last)
            }
            "error" => {
                room.value(&event)?;
                self.failed = Some(event);
                Ok(Kind::Last)
            }
            _ => Ok(Kind::Other),
        }
    }

    fn has_ended(&self) -> bool {
        self.stopped || self.failed.is_some()
    }

    fn into_answer(self: Box<Self>) -> Value {
        if let Some(failed) = self.failed {
            return failed;
        }
        let mut message = self.message;
        let mut values = MODEL_VALUES;
        let content: Vec<Value> = self.blocks.into_values().map(|block| block.whole(&mut values)).collect();
        message.insert("content".into(), content.into());
        Value::Object(message)
    }
}

impl Events {
    fn start(&mut self, event: &mut Value, room: &mut Room) -> Taken {
        let Some(Value::Object(fields)) = event.get_mut("content_block").map(Value::take) else {
            return Ok(Kind::Other);
        };
        let is_call = text_of(fields.get("type")) == "tool_use";
        let fields = Value::Object(fields);
        room.value(&fields)?;
        if let Value::Object(fields) = fields {
            self.blocks.insert(index_of(event), Block { fields, json: String::new() });
        }
        Ok(if is_call { Kind::Content } else { Kind::Other })
    }

    fn add(&mut self, event: &mut Value, room: &mut Room) -> Taken {
        let index = index_of(event);
        let Some(Value::Object(mut delta)) = event.get_mut("delta").map(Value::take) else { return Ok(Kind::Other) };
        let block = self.blocks.entry(index).or_default();
        let kind = text_of(delta.get("type")).to_owned();
        match kind.as_str() {
            "text_delta" => block.extend("text", delta.remove("text"), room)?,
            "thinking_delta" => block.extend("thinking", delta.remove("thinking"), room)?,
            "signature_delta" => {
                block.extend("signature", delta.remove("signature"), room)?;
                return Ok(Kind::Other);
            }
            "input_json_delta" => {
                let piece = text_of(delta.get("partial_json"));
                room.text(piece)?;
                block.json.push_str(piece);
            }
            _ => return Ok(Kind::Other),
        }
        Ok(Kind::Content)
    }

    /// Changes of the message: the reason of its end, and usage, whose counts are totals.
    fn change(&mut self, mut event: Value, room: &mut Room) -> Result<(), Excess> {
        for part in ["delta", "usage"] {
            let Some(Value::Object(fields)) = event.get_mut(part).map(Value::take) else { continue };
            let into = if part == "delta" {
                &mut self.message
            } else {
                let usage = self.message.entry("usage").or_insert_with(|| json!({}));
                let Some(usage) = usage.as_object_mut() else { continue };
                usage
            };
            for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
                room.value(&value)?;
                into.insert(name, value);
            }
        }
        Ok(())
    }
}

impl Block {
    fn extend(&mut self, member: &str, piece: Option<Value>, room: &mut Room) -> Result<(), Excess> {
        let known = self.fields.entry(member).or_insert_with(|| "".into());
        merge(known, piece.unwrap_or_default(), room)
    }

    /// The block with its arguments, read like those of any other call. `values` is the number of
    /// values that they may have.
    fn whole(self, values: &mut usize) -> Value {
        let mut fields = self.fields;
        if !self.json.is_empty() {
            fields.insert("input".into(), arguments::read(Some(&Value::String(self.json)), values));
        }
        Value::Object(fields)
    }
}

fn index_of(event: &Value) -> u64 {
    event.get("index").and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::anthropic::read;

    fn start(index: u64, block: Value) -> Value {
        json!({"type": "content_block_start", "index": index, "content_block": block})
    }

    fn delta(index: u64, delta: Value) -> Value {
        json!({"type": "content_block_delta", "index": index, "delta": delta})
    }

    fn folded(events: Vec<Value>) -> Value {
        let mut fold = Box::<Events>::default();
        let mut room = Room::of(1 << 20);
        let begins = json!({"type": "message_start", "message": {"id": "m", "type": "message", "model": "claude-x",
            "content": [], "stop_reason": null, "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}}});
        fold.take(begins, &mut room).unwrap();
        for event in events {
            fold.take(event, &mut room).unwrap();
        }
        assert!(!fold.has_ended());
        assert_eq!(fold.take(json!({"type": "message_stop"}), &mut room), Ok(Kind::Last));
        fold.into_answer()
    }

    #[test]
    fn events_become_the_message_that_comes_without_streaming() {
        let answer = folded(vec![
            start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
            json!({"type": "ping"}),
            delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
            delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
            delta(0, json!({"type": "signature_delta", "signature": "sig"})),
            json!({"type": "content_block_stop", "index": 0}),
            start(1, json!({"type": "text", "text": ""})),
            delta(1, json!({"type": "text_delta", "text": "o"})),
            delta(1, json!({"type": "text_delta", "text": "k"})),
            delta(1, json!({"type": "a_new_delta", "x": 1})),
            start(2, json!({"type": "tool_use", "id": "t1", "name": "find", "input": {}})),
            delta(2, json!({"type": "input_json_delta", "partial_json": ""})),
            delta(2, json!({"type": "input_json_delta", "partial_json": "{\"q\": "})),
            start(3, json!({"type": "tool_use", "id": "t2", "name": "now", "input": {}})),
            delta(2, json!({"type": "input_json_delta", "partial_json": "12345678901234567890123}"})),
            json!({"type": "a_new_event"}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        ]);
        let thinking = json!({"type": "thinking", "thinking": "hm", "signature": "sig"});
        assert_eq!(answer["content"][0], thinking);
        let answer = read(&answer).unwrap();
        assert_eq!((answer.text.as_deref(), answer.reasoning.as_deref()), (Some("ok"), Some("hm")));
        let arguments: Vec<&Value> = answer.tool_calls.iter().map(|call| &call.arguments).collect();
        // A text keeps the digits that a number would lose.
        assert_eq!(arguments, [&json!("{\"q\": 12345678901234567890123}"), &json!({})]);
        assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (12, 9));
        assert_eq!(answer.opaque.unwrap().parts, json!([thinking]));
        assert!(answer.ended.is_whole());
    }

    #[test]
    fn error_event_is_the_answer() {
        let mut fold = Box::<Events>::default();
        let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        assert_eq!(fold.take(error, &mut Room::of(1_000)), Ok(Kind::Last));
        assert_eq!(read(&fold.into_answer()).unwrap_err().status, 529);
    }
}
