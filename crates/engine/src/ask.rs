//! Asking the model, and what becomes of its answer.

use crate::{
    context,
    effect::{CallModel, Effect},
    limits, nodes, prompt,
    state::{FailedSend, Pending},
    tools::{move_to_next_node, wait_for_user},
    turn::Turn,
};
use domain::{
    Span,
    chat::{ChatMessage, ModelFailure, ModelFailureKind, ModelResponse, ToolCall},
};
use serde_json::{Value, json};

const EMPTY: &str = include_str!("../prompts/empty_answer.md");
const WRAP_UP: &str = include_str!("../prompts/wrap_up.md");

impl Turn<'_> {
    /// Version 2 shows a step prompt as the result of the move that entered the node; where the engine moved by itself, it
    /// makes that call in the model's name.
    pub(crate) fn show_step_prompt(&mut self) {
        self.state.entering = false;
        if nodes::handoff::is_handoff(self.agent, &self.state.node) {
            return;
        }
        let (text, unknown) = prompt::step(self.agent, self.state, &context::of_prompt(self.state, self.at));
        for path in unknown {
            self.event("warning", json!({"code": "unknown_variable", "path": path}));
        }
        let call = self.own_call(move_to_next_node::NAME, json!({"next_node": self.state.node, "reason": "entered"}));
        self.append("engine", ChatMessage::Assistant { content: None, tool_calls: vec![call.clone()] });
        let seq = self.append("engine", ChatMessage::Tool { call_id: call.id, content: text });
        self.state.step_prompt = Some(seq);
    }

    /// Whether a limit ends the turn instead of a call. What rests or routes away is let through: it ends the turn or the
    /// visit, and the person has seen what was said before.
    pub(crate) fn call_over_limits(&mut self, call: &ToolCall) -> bool {
        let leads_out = matches!(call.name.as_str(), wait_for_user::NAME | move_to_next_node::NAME);
        let hit = self.bad_moves().or_else(|| if leads_out { None } else { self.too_long() });
        hit.is_some_and(|(code, message)| {
            self.fail(code, message);
            true
        })
    }

    /// Whether a limit ends the turn before the model is asked; near the end the model is told once to wrap up.
    pub(crate) fn over_limits(&mut self) -> bool {
        let counters = &self.state.turn;
        let own = self.agent.node(&self.state.node).and_then(|node| node.node.max_steps);
        let hit = match () {
            () if counters.visit_calls >= own.unwrap_or(limits::VISIT_CALLS) => {
                Some(("node_step_limit", "the node asked the model too often"))
            }
            () if counters.entries >= limits::ENTRIES => Some(("routing_loop", "the turn entered too many nodes")),
            () => self.bad_moves().or_else(|| self.too_long()),
        };
        if let Some((code, message)) = hit {
            self.fail(code, message);
            return true;
        }
        if self.state.turn.steps >= limits::STEPS_WRAP_UP && !self.state.turn.wrapping_up {
            self.state.turn.wrapping_up = true;
            self.note(&prompt::without_comments(WRAP_UP));
        }
        false
    }

    fn bad_moves(&self) -> Option<(&'static str, &'static str)> {
        let many = self.state.turn.bad_moves >= limits::BAD_MOVES;
        many.then_some(("routing_failed", "the model kept moving to nodes that are not offered"))
    }

    fn too_long(&self) -> Option<(&'static str, &'static str)> {
        let counters = &self.state.turn;
        let late = counters.started_at.is_some_and(|began| self.at - began > limits::TURN);
        match () {
            () if counters.steps >= limits::STEPS => Some(("step_limit", "the turn took too many steps")),
            () if late => Some(("turn_timeout", "the turn took too long")),
            () => None,
        }
    }

    pub(crate) fn call_model(&mut self) {
        self.state.turn.steps += 1;
        self.state.turn.visit_calls += 1;
        if let Some(failed) = self.take_failed_texts() {
            self.note_undelivered(&failed);
        }
        let to = self.state.history_len;
        let call = CallModel {
            id: self.effect_id(),
            node: self.state.node.clone(),
            from: if to <= limits::HISTORY { 1 } else { to - limits::HISTORY + limits::PINNED + 1 },
            to,
            first_input: self.state.first_input,
            step_prompt: self.state.step_prompt,
            at: self.at,
        };
        self.event("llm.requested", json!({"node": call.node, "messages": to - call.from + 1}));
        self.state.pending = Some(Pending::Model { call: call.clone(), failures: 0, not_before: None });
        self.effect(Effect::CallModel(call));
    }

    /// (i) and (j): an answer is thrown away when somebody wrote meanwhile, unless that happens all the time.
    pub(crate) fn take_answer(&mut self, response: ModelResponse) {
        self.state.usage.add(response.usage);
        let (text, calls) = (&response.text, &response.tool_calls);
        self.event("llm.responded", json!({"text": text, "tool_calls": calls, "usage": response.usage}));
        // A send may have failed for good in the same step.
        if self.state.stop.is_some() || self.state.status.is_over() {
            return;
        }
        if !self.state.inbox.is_empty() && self.state.turn.discarded < limits::DISCARDED {
            self.state.turn.discarded += 1;
            self.event("llm.discarded", json!({"usage": response.usage}));
            return;
        }
        let text = response.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let calls = self.renamed(response.tool_calls);
        if text.is_none() && calls.is_empty() {
            self.state.turn.empty += 1;
            self.event("llm.empty", Value::Null);
            return self.note(&prompt::without_comments(EMPTY));
        }
        self.state.turn.empty = 0;
        self.use_answer(text, calls);
    }

    /// Providers repeat ids or leave them out; ours are unique in the execution by being counted. Names go back to the
    /// provider with every later request, so that one that no tool can have is made one that some tool could.
    fn renamed(&mut self, mut calls: Vec<ToolCall>) -> Vec<ToolCall> {
        if calls.len() > limits::CALLS {
            self.warn("too_many_calls", "the answer held too many calls; the later ones were dropped");
            calls.truncate(limits::CALLS);
        }
        for call in &mut calls {
            call.id = self.next_id("call");
            call.name = usable_name(&call.name);
        }
        calls
    }

    fn use_answer(&mut self, text: Option<String>, mut calls: Vec<ToolCall>) {
        if calls.is_empty() {
            // A text alone is said, and then the agent waits: the reply becomes the result of this call.
            calls.push(self.own_call(wait_for_user::NAME, json!({})));
        }
        self.append("model", ChatMessage::Assistant { content: text.clone(), tool_calls: calls.clone() });
        let rests = calls.first().is_some_and(|call| call.name == wait_for_user::NAME);
        self.state.calls = calls;
        let Some(text) = text else { return };
        if !rests && self.state.turn.sends >= limits::SENDS {
            let message = "too many messages in one turn; ask or rest now".into();
            return self.state.failed_sends.push(FailedSend { call_id: None, code: "send_limit".into(), message });
        }
        self.state.turn.sends += u32::from(!rests);
        self.say(&text, None);
    }

    /// A passing failure is tried again after a while, any other ends the execution (engine.md 5.3).
    pub(crate) fn model_failed(&mut self, call: CallModel, failures: u32, failure: &ModelFailure) {
        self.event("llm.failed", json!({"message": failure.message, "failures": failures + 1}));
        if self.state.stop.is_some() {
            return;
        }
        if failure.kind == ModelFailureKind::Temporary && failures < limits::MODEL_RETRIES {
            let wait = failure.retry_after_ms.map_or_else(|| backoff(failures), asked_wait);
            self.event("llm.retried", json!({"wait_ms": wait.millis()}));
            let not_before = Some(self.at + wait);
            self.state.pending = Some(Pending::Model { call, failures: failures + 1, not_before });
            return;
        }
        let code = if failure.kind == ModelFailureKind::KeyMissing { "llm_key_missing" } else { "llm_unavailable" };
        self.fail(code, &failure.message);
    }
}

fn usable_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = name.chars().take(64).map(|c| if fits(c) { c } else { '_' }).collect();
    if name.is_empty() { "unknown".into() } else { name }
}

/// What the provider asks for, within reason.
fn asked_wait(millis: i64) -> Span {
    Span::from_millis(millis.clamp(0, limits::MODEL_RETRY_AFTER.millis()))
}

/// Half a second, doubled with each failure up to the cap.
fn backoff(failures: u32) -> Span {
    Span::from_millis(500 << failures.min(10)).min(limits::MODEL_RETRY_CAP)
}
