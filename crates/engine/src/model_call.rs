//! Calls the model and uses its answer.

use crate::{
    effect::{CallModel, Effect},
    history, limits,
    prompt::{self, Prompt},
    state::{FailedSend, InterruptKind, Pending},
    step_builder::{ReplacedCall, StepBuilder},
    text::without_comments,
    tokens, tools, variable_values,
};
use domain::{
    chat::{ChatMessage, Ended, ModelResponse, ToolCall},
    execution::HistoryOrigin,
    limits::{LABELS_BYTES, PROMPT_BYTES},
    message::Content,
    tool_names::{MOVE_TO_NEXT_NODE, WAIT_FOR_USER},
};
use serde_json::{Value, json};

const EMPTY: &str = include_str!("../prompts/empty_answer.md");
const NOT_SENT: &str = include_str!("../prompts/not_sent.md");
const CUT: &str = include_str!("../prompts/cut_answer.md");
const WRAP_UP: &str = include_str!("../prompts/wrap_up.md");

impl StepBuilder<'_> {
    /// Version 1 shows a step prompt as a text of the model; version 2 as the result of a move that
    /// the engine writes in the model's name.
    pub(crate) fn show_step_prompt(&mut self) {
        self.state.visit.entering = false;
        if self.agent.is_handoff(&self.state.visit.node) {
            return;
        }
        let prompt = prompt::step(self.agent, self.state, &variable_values::of_prompt(self.state, self.at));
        self.warn_about(&prompt);
        let text = prompt.text;
        if self.agent.sends_only_by_tools() {
            let seq = self
                .append(HistoryOrigin::Engine, ChatMessage::Assistant { content: Some(text), tool_calls: Vec::new() });
            self.state.history.step_prompt = Some(seq);
            return;
        }
        let call =
            self.synthetic_call(MOVE_TO_NEXT_NODE, json!({"next_node": self.state.visit.node, "reason": "entered"}));
        self.append(HistoryOrigin::Engine, ChatMessage::Assistant { content: None, tool_calls: vec![call.clone()] });
        let seq = self.append(HistoryOrigin::Engine, ChatMessage::Tool { call_id: call.id, content: text });
        self.state.history.step_prompt = Some(seq);
    }

    /// Reports what a prompt lacks.
    pub(crate) fn warn_about(&mut self, prompt: &Prompt) {
        for path in prompt.unknown.iter().take(limits::UNKNOWN) {
            self.event("warning", json!({"code": "unknown_variable", "path": path}));
        }
        if prompt.truncated {
            let message = format!(
                "the filled prompt of '{}' is longer than {PROMPT_BYTES} bytes, or its labels than {LABELS_BYTES}",
                self.state.visit.node
            );
            self.warn("prompt_truncated", &message);
        }
    }

    /// Fails the turn if a limit is reached. Calls that wait or route away pass: they end the turn
    /// or the visit, and the contact has seen what was said before.
    pub(crate) fn fail_call_over_limits(&mut self, call: &ToolCall) -> bool {
        let leads_out = self.agent.node(&self.state.visit.node).is_some_and(|node| tools::leads_out(node, call));
        let hit = self.bad_moves().or_else(|| if leads_out { None } else { self.too_long() });
        hit.is_some_and(|(code, message)| {
            self.fail(code, message);
            true
        })
    }

    /// Fails the turn if a limit is reached before a model call. Near the limit the model is asked
    /// once to wrap up.
    pub(crate) fn fail_over_limits(&mut self) -> bool {
        let limits = &self.agent.limits;
        let counters = &self.state.turn;
        if limits.token_budget.is_some_and(|budget| self.state.usage.total() >= budget) {
            self.over_budget();
            return true;
        }
        let own = self.agent.node(&self.state.visit.node).and_then(|node| node.node.max_steps);
        let hit = match () {
            () if counters.visit_calls >= own.unwrap_or(limits.max_steps) => {
                Some(("node_step_limit", "the node asked the model too often"))
            }
            () if counters.entries >= limits.node_entries => Some(("routing_loop", "the turn entered too many nodes")),
            () => self.bad_moves().or_else(|| self.too_long()),
        };
        if let Some((code, message)) = hit {
            self.fail(code, message);
            return true;
        }
        if self.state.turn.steps >= self.agent.limits.wrap_up() && !self.state.turn.wrapping_up {
            self.state.turn.wrapping_up = true;
            self.note(&without_comments(WRAP_UP));
        }
        false
    }

    fn bad_moves(&self) -> Option<(&'static str, &'static str)> {
        let many = self.state.turn.bad_moves >= self.agent.limits.invalid_moves;
        many.then_some(("routing_failed", "the model kept moving to nodes that are not offered"))
    }

    fn too_long(&self) -> Option<(&'static str, &'static str)> {
        let counters = &self.state.turn;
        let late = counters.started_at.is_some_and(|began| self.at - began > self.agent.limits.turn());
        match () {
            () if counters.steps >= self.agent.limits.recursion_limit => {
                Some(("step_limit", "the turn took too many steps"))
            }
            () if late => Some(("turn_timeout", "the turn took too long")),
            () => None,
        }
    }

    /// Waits where the model keeps sending nothing to the contact, or refuses to answer.
    pub(crate) fn wait_if_silent(&mut self) -> bool {
        let turn = &self.state.turn;
        let refused = turn.refused;
        let silent = turn.empty >= limits::EMPTY || turn.silent >= self.agent.limits.silent_answers || refused;
        if silent {
            self.start_wait(InterruptKind::Idle, None, None);
            if self.state.phase.interrupt().is_some() && !refused {
                self.warn("silent_model", "the model said nothing that could be used; the agent rests");
            }
        }
        silent
    }

    /// The oldest entry that the next request shows, and the request's tokens. Both the number of
    /// entries and the tokens are limited (docs/spec/engine.md 2.8).
    pub(crate) fn window(&self) -> (i64, u64) {
        let to = self.state.history.len;
        let most = self.agent.limits.history();
        let pinned = limits::PINNED + i64::from(self.agent.limits.summaries);
        let by_count = if to <= most { 1 } else { to - most + pinned + 1 };
        let fixed = self.agent.node(&self.state.visit.node).map_or(0, |node| node.tokens);
        let mut used = u64::from(fixed)
            + u64::from(self.state.offers_tokens())
            + u64::from(tokens::of_text(&prompt::system(self.agent, self.state, self.at).text));
        let budget = u64::from(self.agent.limits.context_tokens) * 3 / 4;
        let mut from = to + 1;
        for size in self.state.history.sizes.iter().rev() {
            // The newest entry is always shown: without it there is nothing to answer.
            if from <= by_count || (from <= to && used + u64::from(*size) > budget) {
                break;
            }
            used += u64::from(*size);
            from -= 1;
        }
        // States of early versions have no sizes for older entries; those are not counted.
        let known = to - i64::try_from(self.state.history.sizes.len()).unwrap_or(i64::MAX);
        (if from == known + 1 { by_count.min(from) } else { from.max(by_count) }, used)
    }

    pub(crate) fn call_model(&mut self) {
        let mut window = self.window();
        if self.request_summary_if_due(window.0) {
            return;
        }
        self.state.turn.steps += 1;
        self.state.turn.visit_calls += 1;
        if let Some(failed) = self.take_failed_texts() {
            self.note_undelivered(&failed);
            window = self.window();
        }
        let (from, tokens) = window;
        let call = CallModel {
            id: self.effect_id(),
            node: self.state.visit.node.clone(),
            from,
            to: self.state.history.len,
            first_input: self.state.history.first_input,
            step_prompt: self.state.history.step_prompt,
            at: self.at,
            fallback: self.replaced_call.as_ref().map_or(0, |retried| retried.fallback),
            halved: false,
            doubled: self.state.turn.cut == 1,
            repaired: false,
            summarises: false,
        };
        if from > 1 {
            self.event("history.trimmed", json!({"from": from, "cut": from - 1}));
        }
        self.request_model(call, tokens);
    }

    /// Calls the model: at once, or at the time of the retry that this call replaces.
    pub(crate) fn request_model(&mut self, call: CallModel, tokens: u64) {
        let node = self.agent.node(&call.node);
        let data = json!({
            "node": call.node,
            "model": history::llm(self.agent, &call).provider_model_name,
            "messages": call.to - call.from + 1,
            "tools": node.map_or(0, |node| node.offered(self.state).count()),
            "est_tokens": tokens,
        });
        self.state.turn.model_calls += 1;
        self.event("llm.requested", data);
        let ReplacedCall { failures, not_before, failing_since, .. } = self.replaced_call.take().unwrap_or_default();
        self.set_pending(Pending::Model { call: call.clone(), failures, not_before, failing_since });
        self.effect(Effect::CallModel(call));
    }

    /// (i) and (j): an answer is discarded if a message arrived meanwhile, up to a limit.
    pub(crate) fn take_answer(&mut self, answered: &AnsweredCall, response: ModelResponse) {
        self.state.usage.add(response.usage);
        self.state.turn.usage.add(response.usage);
        if !response.model.is_empty() {
            self.state.usage_by_model.entry(response.model.clone()).or_default().add(response.usage);
        }
        let data = json!({
            "text": response.text,
            "tool_calls": response.tool_calls,
            "usage": response.usage,
            "model": response.model,
            "ms": (self.at - answered.since).millis(),
            "attempt": answered.attempt,
        });
        self.event("llm.responded", data);
        // A send may have failed for good in the same step.
        if self.state.inputs.stop.is_some() || self.state.phase.is_over() {
            return;
        }
        // A status set by the API ends the wait for this answer as well.
        if self.state.inputs.requested_status.is_some() {
            return self.event("llm.discarded", json!({"usage": response.usage}));
        }
        if answered.call.summarises {
            return self.keep_summary(answered.call.to, response.text);
        }
        if !self.state.inputs.queued.is_empty() && self.state.turn.discarded < limits::DISCARDED {
            self.state.turn.discarded += 1;
            self.event("llm.discarded", json!({"usage": response.usage}));
            return;
        }
        let text = response.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match response.ended {
            Ended::Whole => self.state.turn.cut = 0,
            Ended::Cut if self.retry_cut_answer() => return,
            Ended::Cut => {}
            Ended::Refused => return self.take_refusal(text),
        }
        let calls = self.renamed(response.tool_calls);
        match (text, calls.is_empty()) {
            (None, true) => {
                self.state.turn.empty += 1;
                self.state.turn.silent += 1;
                self.event("llm.empty", Value::Null);
                self.note(&without_comments(EMPTY));
            }
            (Some(text), true) if self.agent.sends_only_by_tools() => self.store_private_text(text),
            (text, _) => {
                self.state.turn.empty = 0;
                self.state.turn.silent = 0;
                self.use_answer(text, calls);
            }
        }
    }

    /// Discards an answer that was cut off and asks once more with twice the tokens. A second cut
    /// answer is used as it is.
    fn retry_cut_answer(&mut self) -> bool {
        self.warn("answer_cut", "the answer was cut off by its limit of tokens");
        self.state.turn.cut += 1;
        let again = self.state.turn.cut == 1;
        if again {
            self.note(&without_comments(CUT));
        }
        again
    }

    /// Sends the text of a refusal where plain text is sent, else stores it; then the agent waits.
    /// Its calls are dropped.
    fn take_refusal(&mut self, text: Option<String>) {
        self.event("llm.refused", json!({"text": text}));
        self.state.turn.empty = 0;
        self.state.turn.silent = 0;
        match text {
            Some(text) if !self.agent.sends_only_by_tools() => self.use_answer(Some(text), Vec::new()),
            kept => {
                if let Some(content) = kept {
                    let tool_calls = Vec::new();
                    self.append(HistoryOrigin::Model, ChatMessage::Assistant { content: Some(content), tool_calls });
                }
                self.state.turn.refused = true;
            }
        }
    }

    /// Stores a text of version 1 without a call. It reached no one, and the model is reminded of
    /// that before the limit.
    fn store_private_text(&mut self, text: String) {
        self.state.turn.empty = 0;
        self.state.turn.silent += 1;
        self.append(HistoryOrigin::Model, ChatMessage::Assistant { content: Some(text), tool_calls: Vec::new() });
        if self.state.turn.silent + 1 == self.agent.limits.silent_answers {
            self.note(&without_comments(NOT_SENT));
        }
    }

    /// Providers repeat ids or leave them out, so calls get ids of our own. Names go back to the
    /// provider with every later request, so invalid characters are replaced.
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
            // A text alone is sent, and then the agent waits: the reply becomes the result of this
            // call.
            calls.push(self.synthetic_call(WAIT_FOR_USER, json!({})));
        }
        self.append(HistoryOrigin::Model, ChatMessage::Assistant { content: text.clone(), tool_calls: calls.clone() });
        let waits = calls.first().is_some_and(|call| call.name == WAIT_FOR_USER);
        self.state.calls = calls;
        let Some(text) = text.filter(|_| !self.agent.sends_only_by_tools()) else { return };
        if !waits && self.state.turn.sends >= self.agent.limits.messages {
            let message = "too many messages in one turn; ask or rest now".into();
            return self.state.failed_sends.push(FailedSend { call_id: None, code: "send_limit".into(), message });
        }
        self.state.turn.sends += u32::from(!waits);
        self.send(Content::Text(text), None);
    }
}

/// An answered model call.
pub(crate) struct AnsweredCall {
    pub call: CallModel,
    /// Time of the last attempt.
    pub since: domain::Timestamp,
    /// Attempt, from 1.
    pub attempt: u32,
}

fn usable_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = name.chars().take(64).map(|c| if fits(c) { c } else { '_' }).collect();
    if name.is_empty() { "unknown".into() } else { name }
}
