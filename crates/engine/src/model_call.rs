//! Calls the model, within the limits of a turn.

use crate::{
    effect::{CallModel, Effect},
    history, limits,
    prompt::{self, Prompt},
    state::{InterruptKind, Pending},
    step_builder::{ReplacedCall, StepBuilder},
    text::without_comments,
    tokens, tools, variable_values,
};
use domain::{
    chat::{ChatMessage, ToolCall},
    execution::HistoryOrigin,
    limits::{LABELS_BYTES, PROMPT_BYTES},
    tool_names::MOVE_TO_NEXT_NODE,
};
use serde_json::json;

const WRAP_UP: &str = include_str!("../prompts/wrap_up.md");

impl StepBuilder<'_> {
    /// Version 1 shows a step prompt as a text of the model; version 2 as the result of a move that
    /// the engine writes in the model's name.
    pub(crate) fn show_step_prompt(&mut self) {
        self.state.visit.entering = false;
        if self.agent.is_handoff(&self.state.visit.node) {
            return self.announce_handoff();
        }
        let prompt = prompt::step(self.agent, self.state, &variable_values::of_prompt(self.state, self.at));
        self.warn_about(&prompt);
        let text = prompt.text;
        if self.agent.sends_only_by_tools() {
            let seq = self.append(HistoryOrigin::Engine, ChatMessage::assistant(Some(text), Vec::new()));
            self.state.history.step_prompt = Some(seq);
            return;
        }
        let call =
            self.synthetic_call(MOVE_TO_NEXT_NODE, json!({"next_node": self.state.visit.node, "reason": "entered"}));
        self.append(HistoryOrigin::Engine, ChatMessage::assistant(None, vec![call.clone()]));
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

    /// Stops asking a model that keeps sending nothing to the contact, or refuses to answer. The agent
    /// waits; since rules 3 only if the contact was sent something in this turn.
    pub(crate) fn stop_if_silent(&mut self) -> bool {
        let turn = &self.state.turn;
        let refused = turn.refused;
        let silent = turn.empty >= limits::EMPTY || turn.silent >= self.agent.limits.silent_answers;
        if silent && !refused && !turn.spoke && self.state.facts.rules >= 3 {
            let message = "the model said nothing that could be used";
            self.warn("silent_model", message);
            self.give_model_up(0, message);
        } else if silent || refused {
            self.start_wait(InterruptKind::Idle, None, None);
            if self.state.phase.interrupt().is_some() && !refused {
                self.warn("silent_model", "the model said nothing that could be used; the agent rests");
            }
        }
        silent || refused
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
            fallback: self.replaced_call.as_ref().map_or(self.state.turn.fallback, |retried| retried.fallback),
            halved: false,
            doubled: self.state.turn.cut == 1,
            repaired: false,
            summarises: false,
            adapted: 0,
            room: None,
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
            "model": self.model_name(&call),
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

    /// Name of the model that the agent selects; the server's if it selects none.
    fn model_name(&self, call: &CallModel) -> Option<String> {
        let llm = history::llm(self.agent, call);
        let of_server = self.state.facts.model.as_ref().filter(|choice| {
            llm.provider_name.as_ref().is_none_or(|name| name.trim().eq_ignore_ascii_case(&choice.provider))
        });
        llm.provider_model_name.or_else(|| of_server.map(|choice| choice.model.clone()))
    }
}
