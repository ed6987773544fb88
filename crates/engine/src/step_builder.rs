//! A step while it is built: every change of the state goes through it, so that history, effects and events agree.
//!
//! Methods added in other files are in the order of `lib.rs`: each uses those of earlier files.

use crate::{
    agent::{Compiled, Target},
    effect::{Effect, Entry, Event, Part, Step},
    limits,
    state::{Pending, Phase, QueuedInput, State},
    tokens,
};
use domain::{
    Timestamp,
    chat::{ChatMessage, Opaque, Rendering, ToolCall},
    execution::{ExecutionStatus, HistoryOrigin},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A model call that was replaced by a newer one before it was answered.
#[derive(Default)]
pub(crate) struct ReplacedCall {
    pub failures: u32,
    pub not_before: Option<Timestamp>,
    pub failing_since: Option<Timestamp>,
    pub fallback: usize,
}

pub(crate) struct StepBuilder<'a> {
    pub(crate) agent: &'a Compiled,
    pub(crate) state: &'a mut State,
    pub(crate) at: Timestamp,
    /// The first call waited for sends and runs again; its event was written before.
    pub(crate) waited: bool,
    /// A failed model call was replaced; the next one is made at the time of the retry.
    pub(crate) replaced_call: Option<ReplacedCall>,
    /// Id of the call that is run, and the digest of its arguments.
    pub(crate) arguments_digest: Option<(String, String)>,
    /// Parts of the model's answer for the entry that it becomes.
    pub(crate) opaque: Option<Opaque>,
    step: Step,
}

impl<'a> StepBuilder<'a> {
    pub(crate) fn new(agent: &'a Compiled, state: &'a mut State, at: Timestamp) -> Self {
        Self {
            agent,
            state,
            at,
            waited: false,
            replaced_call: None,
            arguments_digest: None,
            opaque: None,
            step: Step::default(),
        }
    }

    pub(crate) fn finish(self) -> Step {
        self.step
    }

    pub(crate) fn event(&mut self, name: &str, data: Value) {
        let seq = self.state.next_event;
        self.state.next_event += 1;
        self.step.events.push(Event { seq, name: name.into(), data });
    }

    pub(crate) fn warn(&mut self, code: &str, message: &str) {
        self.event("warning", json!({"code": code, "message": message}));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.step.effects.push(effect);
    }

    /// A readable id, unique within the execution.
    pub(crate) fn next_id(&mut self, word: &str) -> String {
        let id = self.state.next_id;
        self.state.next_id += 1;
        format!("{word}_{id}")
    }

    /// An id for external systems: unique everywhere and the same in a replay (docs/spec/engine.md
    /// 2.10).
    pub(crate) fn effect_id(&mut self) -> String {
        let name = self.next_id("effect");
        let digest = Sha256::digest(format!("{}/{name}", self.state.facts.execution_id));
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A call that the engine writes in the model's name.
    pub(crate) fn synthetic_call(&mut self, name: &str, arguments: Value) -> ToolCall {
        ToolCall { id: self.next_id("call"), name: name.into(), arguments }
    }

    pub(crate) fn append(&mut self, origin: HistoryOrigin, mut message: ChatMessage) -> i64 {
        if let ChatMessage::Assistant { opaque, .. } = &mut message
            && origin == HistoryOrigin::Model
        {
            *opaque = self.opaque.take();
        }
        self.state.history.len += 1;
        let seq = self.state.history.len;
        let most = usize::try_from(self.agent.limits.history()).unwrap_or(usize::MAX);
        let too_many = (self.state.history.sizes.len() + 1).saturating_sub(most);
        self.state.history.sizes.drain(..too_many);
        self.state.history.sizes.push(tokens::of_entry(&message));
        self.step.history.push(Entry { seq, node: self.state.visit.node.clone(), origin, message, parts: Vec::new() });
        seq
    }

    /// Names the contact's messages in the newest entry.
    pub(crate) fn name_parts(&mut self, parts: Vec<Part>) {
        if let Some(entry) = self.step.history.last_mut() {
            entry.parts = parts;
        }
    }

    /// Adds a note of the engine for the model.
    pub(crate) fn note(&mut self, text: &str) {
        self.append(HistoryOrigin::Engine, ChatMessage::user(format!("[system note] {}", text.trim())));
    }

    fn enter_phase(&mut self, phase: Phase, reason: &str) {
        let (from, to) = (self.state.status(), phase.status());
        self.state.phase = phase;
        if from != to {
            self.status_event(from, to, reason);
        }
    }

    fn status_event(&mut self, from: ExecutionStatus, to: ExecutionStatus, reason: &str) {
        self.event("execution.status", json!({"from": from, "to": to, "reason": reason}));
    }

    /// Records that a reclaimed turn went back to the queue and runs again (docs/spec/engine.md
    /// 2.9).
    pub(crate) fn requeue(&mut self) {
        if self.state.status() == ExecutionStatus::Running {
            self.status_event(ExecutionStatus::Running, ExecutionStatus::Started, "worker_lost");
            self.status_event(ExecutionStatus::Started, ExecutionStatus::Running, "taken_over");
        }
    }

    /// Starts a turn for the queued inputs, else for `why`.
    pub(crate) fn begin_turn(&mut self, why: &str) {
        self.state.turn_no += 1;
        self.state.turn = Default::default();
        self.state.turn.started_at = Some(self.at);
        let mut kind = why;
        let mut ids = Vec::new();
        for input in &self.state.inputs.queued {
            let (id, its) = match input {
                QueuedInput::Message { id, .. } => (id, "user_input"),
                QueuedInput::Data { id, .. } => (id, "payload"),
            };
            ids.push(id.clone());
            kind = if kind == "user_input" { kind } else { its };
        }
        self.event("turn.started", json!({"turn": self.state.turn_no, "input_kind": kind, "ids": ids}));
        self.enter_phase(Phase::Running { pending: None }, why);
    }

    /// Ends the turn, if one is under way, with a wait or the end of the execution.
    pub(crate) fn finish_turn(&mut self, phase: Phase, reason: &str) {
        let under_way = self.state.status() == ExecutionStatus::Running;
        self.enter_phase(phase, reason);
        if under_way {
            let turn = &self.state.turn;
            let data = json!({
                "turn": self.state.turn_no,
                "ms": turn.started_at.map(|began| (self.at - began).millis()),
                "steps": turn.steps,
                "llm_calls": turn.model_calls,
                "tokens": turn.usage.total(),
                "effects": turn.effects,
            });
            self.event("turn.finished", data);
        }
    }

    pub(crate) fn enter(&mut self, node: &str, triggering: Option<String>, via: &str) {
        self.state.visit.node = node.into();
        self.state.visit.entering = true;
        self.state.visit.refused_tools.clear();
        self.state.turn.entries += 1;
        self.state.turn.visit_calls = 0;
        let global = triggering.is_some();
        self.event("node.entered", json!({"node": node, "via": via, "global": global, "triggering_node": triggering}));
        self.state.visit.triggering_node = triggering;
    }

    pub(crate) fn targets(&self) -> Vec<Target> {
        self.agent.targets(&self.state.visit.node, self.state.visit.triggering_node.as_deref())
    }

    /// A rendering as events show it. Rules before 3 know no streams.
    pub(crate) fn rendering_shown(&self, rendering: Rendering) -> Value {
        json!(Rendering { streamed: rendering.streamed && self.state.facts.rules >= 3, ..rendering })
    }

    // ---- calls and their results

    /// Stores a call's result, without waiting time. Strict providers want every call answered, in
    /// order.
    pub(crate) fn answer_first_call(&mut self, call: &ToolCall, result: Value) {
        self.answer_call(call, result, self.at);
    }

    /// Stores the result of a call that was sent out at `since`.
    pub(crate) fn answer_call(&mut self, call: &ToolCall, result: Value, since: Timestamp) {
        self.state.calls.retain(|open| open.id != call.id);
        self.state.sent_call.take_if(|sent| *sent == call.id);
        self.state.turn.steps += 1;
        let mut data = json!({"call_id": call.id, "ok": result.get("error").is_none()});
        if let Some(code) = result.get("error").and(result.get("code")) {
            data["code"] = code.clone();
        }
        let content = match &result {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        data["ms"] = json!((self.at - since).millis());
        data["bytes"] = json!(content.len());
        if self.state.facts.rules >= 1 {
            add_result(&mut data, result, &content);
        }
        self.event("tool.result", data);
        self.append(HistoryOrigin::Tool, ChatMessage::Tool { call_id: call.id.clone(), content });
    }

    pub(crate) fn skip_calls(&mut self, why: &str) {
        for call in std::mem::take(&mut self.state.calls) {
            let content = json!({"error": why}).to_string();
            self.append(HistoryOrigin::Engine, ChatMessage::Tool { call_id: call.id, content });
        }
    }

    /// Makes an effect the pending one of the turn under way.
    pub(crate) fn set_pending(&mut self, pending: Pending) {
        debug_assert_eq!(self.state.status(), ExecutionStatus::Running);
        if let Phase::Running { pending: slot } = &mut self.state.phase {
            *slot = Some(pending);
        }
    }

    /// Drops the pending effect; a model call is cancelled.
    pub(crate) fn drop_pending(&mut self) {
        if let Some(Pending::Model { call, .. }) = self.state.phase.take_pending_if(|_| true) {
            self.effect(Effect::CancelModel { id: call.id });
        }
    }

    /// True between a tool's effect and its outcome: nothing may come in between.
    pub(crate) const fn waits_for_tool(&self) -> bool {
        matches!(self.state.phase.pending(), Some(Pending::Tool { .. } | Pending::Retrieval { .. }))
    }

    /// Takes the pending effect if it has this id.
    pub(crate) fn take_pending(&mut self, effect: &str) -> Option<Pending> {
        self.state.phase.take_pending_if(|pending| match pending {
            Pending::Model { call, .. } => call.id == effect,
            Pending::Tool { effect: id, .. }
            | Pending::Retrieval { effect: id, .. }
            | Pending::ToolList { effect: id, .. } => id == effect,
            Pending::SendsOf { .. } | Pending::AllSends => false,
        })
    }
}

/// Adds the result to its event: whole, or the beginning of its text.
fn add_result(data: &mut Value, result: Value, content: &str) {
    if content.len() <= limits::EVENT_RESULT {
        data["result"] = result;
        return;
    }
    data["result"] = content[..content.floor_char_boundary(limits::EVENT_RESULT)].into();
    data["truncated"] = true.into();
}
