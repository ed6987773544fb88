//! A write that the model repeats in a turn runs once: same tool, same arguments, the first one
//! succeeded, and nothing else was written in between (docs/spec/engine.md 3.4). Models repeat a call
//! when a result is long, or when their server lost it. A GET request may repeat.

use crate::{limits, state::LastWrite, step_builder::StepBuilder};
use domain::{chat::ToolCall, json};
use serde_json::{Map, Value, json};

impl StepBuilder<'_> {
    /// Answers a repeated write with the result of the first one. `true`: answered.
    pub(super) fn answer_repeated(&mut self, call: &ToolCall, arguments: &Map<String, Value>) -> bool {
        if self.state.facts.rules < 2 {
            return false;
        }
        let digest = json::digest(&Value::Object(arguments.clone()));
        let last = self.state.turn.last_write.as_ref();
        let Some(last) = last.filter(|last| last.done && last.tool == call.name && last.digest == digest).cloned()
        else {
            self.arguments_digest = Some((call.id.clone(), digest));
            return false;
        };
        self.event(
            "warning",
            json!({"code": "repeated_call", "call_id": call.id, "first_call_id": last.call_id,
            "message": "the same call was made before in this turn; its result is used again"}),
        );
        let reference = || json!({"already_done": true, "result_of_call": last.call_id});
        let result = last.result.clone().unwrap_or_else(reference);
        self.answer_first_call(call, result);
        true
    }

    /// Notes a request that may change something.
    pub(super) fn note_write(&mut self, call: &ToolCall, method: &str) {
        if method == "GET" {
            return;
        }
        let digest = self.arguments_digest.take().filter(|(id, _)| *id == call.id).map(|(_, digest)| digest);
        let write =
            |digest| LastWrite { call_id: call.id.clone(), tool: call.name.clone(), digest, done: false, result: None };
        self.state.turn.last_write = digest.map(write);
    }

    /// Notes the outcome of a request.
    pub(crate) fn settle_write(&mut self, call: &ToolCall, result: &Value, failed: bool) {
        let Some(last) = self.state.turn.last_write.as_mut().filter(|last| last.call_id == call.id) else { return };
        last.done = !failed;
        last.result = (json::bytes_of(result) <= limits::SHARED_RESULT).then(|| result.clone());
    }
}
