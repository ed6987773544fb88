//! The hands of a step: everything that changes the state, so that history, effects and events stay in step with it.

use crate::{
    compile::Compiled,
    context,
    effect::{CallModel, Effect, Entry, Event, Step, TimerKind},
    limits, nodes, prompt,
    state::{Interrupt, InterruptKind, OpenSend, Pending, Resume, State, Waiting},
    tools::{self, move_to_next_node},
};
use domain::{
    Span, Timestamp,
    chat::{ChatMessage, ModelFailure, ModelFailureKind, ToolCall},
    execution::{ExecutionError, ExecutionInput, ExecutionStatus},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// One step in the making.
pub(crate) struct Turn<'a> {
    pub(crate) agent: &'a Compiled,
    pub(crate) state: &'a mut State,
    pub(crate) at: Timestamp,
    step: Step,
}

/// Fails an execution whose agent cannot run at all.
pub fn fail_unrunnable(state: &mut State, at: Timestamp, why: &str) -> Step {
    let agent = Compiled::empty();
    let mut turn = Turn::new(&agent, state, at);
    turn.fail("graph_invalid", why);
    turn.finish()
}

impl<'a> Turn<'a> {
    pub(crate) fn new(agent: &'a Compiled, state: &'a mut State, at: Timestamp) -> Self {
        Self { agent, state, at, step: Step::default() }
    }

    pub(crate) fn finish(self) -> Step {
        self.step
    }

    pub(crate) fn event(&mut self, name: &str, data: Value) {
        let seq = self.state.next_event;
        self.state.next_event += 1;
        self.step.events.push(Event { seq, name: name.into(), data });
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.step.effects.push(effect);
    }

    /// A readable id that is unique within the execution.
    pub(crate) fn next_id(&mut self, word: &str) -> String {
        let id = self.state.next_id;
        self.state.next_id += 1;
        format!("{word}_{id}")
    }

    /// An id for the world outside: unique everywhere and the same in a replay (engine.md 2.10).
    pub(crate) fn effect_id(&mut self) -> String {
        let name = self.next_id("effect");
        let digest = Sha256::digest(format!("{}/{name}", self.state.facts.execution_id));
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A call that the engine makes in the model's name.
    pub(crate) fn own_call(&mut self, name: &str, arguments: Value) -> ToolCall {
        ToolCall { id: self.next_id("call"), name: name.into(), arguments }
    }

    pub(crate) fn append(&mut self, origin: &'static str, message: ChatMessage) -> i64 {
        self.state.history_len += 1;
        let seq = self.state.history_len;
        self.step.history.push(Entry { seq, node: self.state.node.clone(), origin, message });
        seq
    }

    pub(crate) fn status(&mut self, to: ExecutionStatus, reason: &str) {
        let from = self.state.status;
        if from != to {
            self.state.status = to;
            self.event("execution.status", json!({"from": from, "to": to, "reason": reason}));
        }
    }

    // ---- beginning and ending

    /// The first step enters the node that `__start__` leads to, without asking the model.
    pub(crate) fn begin_if_new(&mut self) {
        if self.state.status != ExecutionStatus::Started {
            return;
        }
        self.event("execution.created", json!({"agent_id": self.state.facts.agent_id}));
        self.begin_turn("start");
        self.take_outside();
        self.take_inbox();
        match self.agent.first().map(str::to_owned) {
            Some(first) => self.enter(&first, None, "start"),
            None => self.fail("graph_invalid", "__start__ leads nowhere"),
        }
    }

    fn begin_turn(&mut self, why: &str) {
        self.state.turn_no += 1;
        self.state.turn = Default::default();
        self.state.turn.started_at = Some(self.at);
        self.event("turn.started", json!({"turn": self.state.turn_no, "input": why}));
        self.status(ExecutionStatus::Running, why);
    }

    pub(crate) fn enter(&mut self, node: &str, triggering: Option<String>, via: &str) {
        self.state.node = node.into();
        self.state.entering = true;
        self.state.turn.entries += 1;
        self.state.turn.visit_calls = 0;
        let global = triggering.is_some();
        self.event("node.entered", json!({"node": node, "via": via, "global": global, "triggering_node": triggering}));
        self.state.triggering_node = triggering;
    }

    fn over(&mut self, status: ExecutionStatus, reason: &str) {
        self.state.interrupt = None;
        self.state.pending = None;
        self.state.inbox.clear();
        self.state.generation += 1;
        self.effect(Effect::ClearTimer);
        self.status(status, reason);
        self.event("turn.finished", json!({"turn": self.state.turn_no, "steps": self.state.turn.steps}));
    }

    pub(crate) fn end(&mut self, reason: &str) {
        self.skip_calls("interrupted");
        self.state.end_reason = Some(reason.into());
        self.over(ExecutionStatus::Ended, reason);
    }

    pub(crate) fn stop(&mut self) {
        let reason = self.state.stop.take().unwrap_or_default();
        self.skip_calls("stopped");
        self.over(ExecutionStatus::Stopped, &reason);
    }

    /// Ends the execution with an error. What the contact said stays in history, so that a resume can take it up.
    pub(crate) fn fail(&mut self, code: &str, message: &str) {
        self.skip_calls("interrupted");
        self.take_inbox();
        self.state.error = Some(ExecutionError::new(code, message, Some(self.state.node.clone())));
        self.over(ExecutionStatus::Failed, code);
    }

    // ---- calls and their results

    /// Stores the result of the first open call; strict providers want every call answered, in order.
    pub(crate) fn answer_first_call(&mut self, call: &ToolCall, result: Value) {
        self.state.calls.retain(|open| open.id != call.id);
        self.state.turn.steps += 1;
        let failed = result.get("error").is_some();
        let content = match result {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.event("tool.result", json!({"call_id": call.id, "ok": !failed, "bytes": content.len()}));
        self.append("tool", ChatMessage::Tool { call_id: call.id.clone(), content });
    }

    pub(crate) fn skip_calls(&mut self, why: &str) {
        for call in std::mem::take(&mut self.state.calls) {
            let content = json!({"error": why}).to_string();
            self.append("engine", ChatMessage::Tool { call_id: call.id, content });
        }
    }

    pub(crate) fn take_pending_model(&mut self, effect: &str) -> Option<(CallModel, u32)> {
        match self.state.pending.take() {
            Some(Pending::Model { call, failures, .. }) if call.id == effect => Some((call, failures)),
            other => {
                self.state.pending = other;
                None
            }
        }
    }

    pub(crate) fn take_pending_tool(&mut self, effect: &str) -> Option<ToolCall> {
        match self.state.pending.take() {
            Some(Pending::Tool { effect: id, call, .. }) if id == effect => Some(call),
            other => {
                self.state.pending = other;
                None
            }
        }
    }

    // ---- saying

    /// Sends a text, in pieces that WhatsApp takes.
    pub(crate) fn say(&mut self, text: &str, call: Option<&ToolCall>) {
        for piece in tools::send_notification::pieces(text) {
            let id = self.effect_id();
            self.state.sends.push(OpenSend { effect: id.clone(), call_id: call.map(|call| call.id.clone()) });
            self.effect(Effect::Send { id, text: piece });
        }
    }

    // ---- resting

    /// Rests, unless something that was said is still on its way or was refused: an agent must not wait for an answer to a
    /// question that nobody has seen.
    pub(crate) fn rest(&mut self, kind: InterruptKind, call: Option<ToolCall>) {
        if !self.all_sends_settled() {
            return;
        }
        if let Some(failed) = self.take_failed_text() {
            self.state.turn.failed_sends += 1;
            if self.state.turn.failed_sends >= limits::FAILED_SENDS {
                return self.fail("send_failed", &failed.message);
            }
            let result = json!({"error": failed.message, "code": failed.code});
            match call {
                Some(call) => self.answer_first_call(&call, result),
                None => {
                    self.append("engine", ChatMessage::User { content: format!("[system note] Your last message was not delivered: {result}") });
                }
            }
            return;
        }
        if let Some(call) = &call {
            self.state.calls.retain(|open| open.id != call.id);
        }
        let id = self.next_id("interrupt");
        self.state.generation += 1;
        let (timer, patience) = match nodes::warm_end::patience(self.agent, &self.state.node) {
            Some(patience) if kind != InterruptKind::Handoff => (TimerKind::WarmEnd, patience),
            _ => (TimerKind::Inactivity, limits::INACTIVITY),
        };
        self.effect(Effect::SetTimer { kind: timer, generation: self.state.generation, fire_at: self.at + patience });
        self.event("interrupt.created", json!({"id": id, "kind": kind}));
        self.state.interrupt = Some(Interrupt { id, kind, node: self.state.node.clone(), call, since: self.at });
        let status = if kind == InterruptKind::Handoff { ExecutionStatus::Handoff } else { ExecutionStatus::Paused };
        let reason = self.state.handoff_reason.clone().filter(|_| kind == InterruptKind::Handoff);
        self.status(status, reason.as_deref().unwrap_or("waiting"));
        self.event("turn.finished", json!({"turn": self.state.turn_no, "steps": self.state.turn.steps}));
    }

    /// Whether nothing is on its way; otherwise the step ends here and goes on when the last send is settled.
    pub(crate) fn all_sends_settled(&mut self) -> bool {
        if !self.state.sends.is_empty() {
            self.state.pending = Some(Pending::AllSends);
        }
        self.state.sends.is_empty()
    }

    fn take_failed_text(&mut self) -> Option<crate::state::FailedSend> {
        let place = self.state.failed_sends.iter().position(|failed| failed.call_id.is_none())?;
        Some(self.state.failed_sends.remove(place))
    }

    /// Leaves rest if there is a reason to. `false`: still resting.
    pub(crate) fn leave_rest(&mut self) -> bool {
        let Some(interrupt) = self.state.interrupt.clone() else { return true };
        if interrupt.kind == InterruptKind::Handoff {
            return self.leave_handoff();
        }
        let resume = self.state.resume.take();
        if resume.is_none() && self.state.inbox.is_empty() {
            self.take_outside();
            return false;
        }
        self.state.interrupt = None;
        self.effect(Effect::ClearTimer);
        self.event("interrupt.resolved", json!({"id": interrupt.id}));
        self.begin_turn(if resume.is_some() { "resume" } else { "input" });
        if let Some(resume) = resume {
            let bare = resume.message.is_none() && self.state.inbox.is_empty();
            self.take_message(resume);
            if bare {
                self.state.inbox.push(Waiting::Data { id: "resume".into(), value: json!({"resumed": true}) });
            }
        }
        if let Some(call) = interrupt.call {
            // Version 2: the reply is the call's result, and then a message of its own (engine.md 2.7).
            let result = self.inbox_text().map_or_else(|| self.take_data(), Value::String);
            self.answer_first_call(&call, result);
        }
        true
    }

    /// While a person has the conversation, what is said is recorded and the agent is silent.
    fn leave_handoff(&mut self) -> bool {
        let heard = !self.state.inbox.is_empty();
        self.take_outside();
        self.take_inbox();
        let Some(resume) = self.state.resume.take() else {
            if heard {
                self.state.generation += 1;
                let (generation, fire_at) = (self.state.generation, self.at + limits::INACTIVITY);
                self.effect(Effect::SetTimer { kind: TimerKind::Inactivity, generation, fire_at });
            }
            return false;
        };
        if let Some(interrupt) = self.state.interrupt.take() {
            self.event("interrupt.resolved", json!({"id": interrupt.id}));
        }
        self.effect(Effect::ClearTimer);
        self.begin_turn("resume");
        let message = resume.message.unwrap_or(ExecutionInput::Payload { value: json!({"resumed": true}) });
        let note = "A person has handed the conversation back to you.";
        match message {
            ExecutionInput::Payload { value } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {note}\n{value}") });
            }
            ExecutionInput::UserInput { text } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {note}") });
                self.state.inbox.push(Waiting::Said { id: "resume".into(), text });
            }
        }
        self.state.handoff_reason = None;
        match self.state.return_to.take() {
            Some(node) => self.enter(&node, None, "handoff"),
            None => self.fail("graph_invalid", "the handoff has no node to return to"),
        }
        true
    }

    // ---- what others say

    pub(crate) fn take_message(&mut self, resume: Resume) {
        match resume.message {
            Some(ExecutionInput::UserInput { text }) => self.state.inbox.push(Waiting::Said { id: "resume".into(), text }),
            Some(ExecutionInput::Payload { value }) => self.state.inbox.push(Waiting::Data { id: "resume".into(), value }),
            None => {}
        }
    }

    /// The texts that wait, joined as one input.
    fn inbox_text(&self) -> Option<String> {
        let texts: Vec<&str> = self
            .state
            .inbox
            .iter()
            .filter_map(|waiting| match waiting {
                Waiting::Said { text, .. } => Some(text.as_str()),
                Waiting::Data { .. } => None,
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// The first data that waits: as the result of a call it is said once, so it leaves the inbox.
    fn take_data(&mut self) -> Value {
        let place = self.state.inbox.iter().position(|waiting| matches!(waiting, Waiting::Data { .. }));
        match place.map(|place| self.state.inbox.remove(place)) {
            Some(Waiting::Data { value, .. }) => value,
            _ => json!({"resumed": true}),
        }
    }

    pub(crate) fn take_outside(&mut self) {
        for text in std::mem::take(&mut self.state.outside) {
            self.append("person", ChatMessage::Assistant { content: Some(text), tool_calls: Vec::new() });
            self.event("external.injected", Value::Null);
        }
    }

    /// Moves what waits into history: data as data, texts joined in the order in which they came.
    pub(crate) fn take_inbox(&mut self) {
        let text = self.inbox_text();
        let waiting = std::mem::take(&mut self.state.inbox);
        if waiting.is_empty() {
            return;
        }
        let ids: Vec<&String> = waiting.iter().map(|(Waiting::Said { id, .. } | Waiting::Data { id, .. })| id).collect();
        self.event("input.injected", json!({"ids": ids}));
        for item in &waiting {
            if let Waiting::Data { value, .. } = item {
                self.append("system", ChatMessage::User { content: format!("[system data]\n{value}") });
            }
        }
        if let Some(text) = text {
            self.state.last_input = Some(text.clone());
            let seq = self.append("contact", ChatMessage::User { content: text });
            self.state.first_input.get_or_insert(seq);
        }
    }

    // ---- asking the model

    /// Version 2 shows a step prompt as the result of the move that entered the node; where the engine moved by itself, it
    /// makes that call in the model's name.
    pub(crate) fn show_step_prompt(&mut self) {
        self.state.entering = false;
        if nodes::handoff::is_handoff(self.agent, &self.state.node) {
            return;
        }
        let (text, unknown) = prompt::step(self.agent, self.state, &context::of(self.state, self.at));
        for path in unknown {
            self.event("warning", json!({"code": "unknown_variable", "path": path}));
        }
        let call = self.own_call(move_to_next_node::NAME, json!({"next_node": self.state.node, "reason": "entered"}));
        self.append("engine", ChatMessage::Assistant { content: None, tool_calls: vec![call.clone()] });
        let seq = self.append("engine", ChatMessage::Tool { call_id: call.id, content: text });
        self.state.step_prompt = Some(seq);
    }

    /// Whether a limit ends the turn here; near the end the model is told once to wrap up.
    pub(crate) fn over_limits(&mut self) -> bool {
        let counters = &self.state.turn;
        let visit = self.agent.node(&self.state.node).and_then(|node| node.node.max_steps).unwrap_or(limits::VISIT_CALLS);
        let late = counters.started_at.is_some_and(|began| self.at - began > limits::TURN);
        let hit = match () {
            () if counters.steps >= limits::STEPS => Some(("step_limit", "the turn took too many steps")),
            () if counters.visit_calls >= visit => Some(("node_step_limit", "the node asked the model too often")),
            () if counters.entries > limits::ENTRIES => Some(("routing_loop", "the turn entered too many nodes")),
            () if counters.bad_moves >= limits::BAD_MOVES => Some(("routing_failed", "the model kept moving to nodes that are not offered")),
            () if late => Some(("turn_timeout", "the turn took too long")),
            () => None,
        };
        if let Some((code, message)) = hit {
            self.fail(code, message);
            return true;
        }
        if self.state.turn.steps >= limits::STEPS_WRAP_UP && !self.state.turn.wrapping_up {
            self.state.turn.wrapping_up = true;
            let note = "[system note] This turn is getting long. Finish now: answer the person or route once.";
            self.append("engine", ChatMessage::User { content: note.into() });
        }
        false
    }

    pub(crate) fn call_model(&mut self) {
        self.state.turn.steps += 1;
        self.state.turn.visit_calls += 1;
        if let Some(failed) = self.take_failed_text() {
            let note = format!("[system note] Your last message was not delivered: {} ({})", failed.message, failed.code);
            self.append("engine", ChatMessage::User { content: note });
        }
        let to = self.state.history_len;
        let call = CallModel {
            id: self.effect_id(),
            node: self.state.node.clone(),
            from: (to - limits::HISTORY + 1).max(1),
            to,
            first_input: self.state.first_input,
            step_prompt: self.state.step_prompt,
            at: self.at,
        };
        self.event("llm.requested", json!({"node": call.node, "messages": to - call.from + 1}));
        self.state.pending = Some(Pending::Model { call: call.clone(), failures: 0, not_before: None });
        self.effect(Effect::CallModel(call));
    }

    /// A passing failure is tried again after a while, any other ends the execution (engine.md 5.3).
    pub(crate) fn model_failed(&mut self, call: CallModel, failures: u32, failure: &ModelFailure) {
        self.event("llm.failed", json!({"message": failure.message, "failures": failures + 1}));
        if failure.kind == ModelFailureKind::Temporary && failures < limits::MODEL_RETRIES && self.state.stop.is_none() {
            let wait = failure.retry_after_ms.map_or_else(|| backoff(failures), Span::from_millis).min(Span::from_secs(60));
            self.event("llm.retried", json!({"wait_ms": wait.millis()}));
            self.state.pending = Some(Pending::Model { call, failures: failures + 1, not_before: Some(self.at + wait) });
            return;
        }
        let code = if failure.kind == ModelFailureKind::KeyMissing { "llm_key_missing" } else { "llm_unavailable" };
        self.fail(code, &failure.message);
    }
}

/// Half a second, doubled with each failure up to the cap.
fn backoff(failures: u32) -> Span {
    Span::from_millis(500 << failures.min(10)).min(limits::MODEL_RETRY_CAP)
}
