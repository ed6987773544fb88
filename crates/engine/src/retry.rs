//! A failed model call: repeated, shortened, given to a fallback, or given up (docs/spec/engine.md
//! 5.3). No other layer retries.

use crate::{
    effect::CallModel,
    limits,
    state::{Pending, RequestedStatus},
    step_builder::{ReplacedCall, StepBuilder},
    text::without_comments,
};
use domain::{
    Span, Timestamp,
    agent::RetryConfig,
    chat::{Length, ModelFailure, ModelFailureKind, Usage},
    execution::ExecutionStatus,
    message::Content,
};
use serde_json::json;

const MALFORMED: &str = include_str!("../prompts/malformed_call.md");

pub(crate) struct Attempts {
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
}

impl StepBuilder<'_> {
    /// Replaces a model call that must be repeated by one that includes new messages, after a
    /// failure or a reclaim (docs/spec/engine.md 2.4). A call without a failed attempt counts as a
    /// discarded answer, which is limited: a contact who keeps writing must still get an answer.
    pub(crate) fn discard_outdated_call(&mut self) -> bool {
        let Some(Pending::Model { call, failures, not_before, failing_since }) = self.state.phase.pending() else {
            return false;
        };
        let first = *failures == 0;
        let starves = first && self.state.turn.discarded >= limits::DISCARDED;
        if !self.state.inputs.change_prompt() || call.summarises || starves {
            return false;
        }
        self.replaced_call = Some(ReplacedCall {
            failures: *failures,
            not_before: *not_before,
            failing_since: *failing_since,
            fallback: call.fallback,
        });
        if first {
            self.state.turn.discarded += 1;
            self.event("llm.discarded", json!({"usage": Usage::default()}));
        } else {
            // It was counted when it was made; its replacement will be counted.
            self.state.turn.steps = self.state.turn.steps.saturating_sub(1);
            self.state.turn.visit_calls = self.state.turn.visit_calls.saturating_sub(1);
        }
        self.drop_pending();
        true
    }

    pub(crate) fn model_failed(&mut self, call: CallModel, attempts: &Attempts, failure: &ModelFailure) {
        let failures = attempts.failures + 1;
        let mut data = json!({"message": failure.message, "failures": failures});
        if let Some(class) = &failure.class {
            data["class"] = json!(class);
        }
        if let Some(rendering) = &failure.rendering {
            data["rendering"] = self.rendering_shown((**rendering).clone());
        }
        self.event("llm.failed", data);
        if self.state.inputs.stop.is_some() {
            return;
        }
        if failure.kind == ModelFailureKind::Temporary
            && let Some(wait) = self.wait_before_retry(&call, attempts, failure)
        {
            self.event("llm.retried", json!({"wait_ms": wait.millis(), "attempt": failures + 1}));
            let failing_since = attempts.failing_since.or(Some(self.at));
            let not_before = Some(self.at + wait);
            return self.set_pending(Pending::Model { call, failures, not_before, failing_since });
        }
        if self.answer_refusal(&call, failure) {
            return;
        }
        if failure.kind == ModelFailureKind::TooLong && !call.halved && !call.summarises {
            let from = call.to - kept_entries(&call, failure.length.as_deref().copied());
            self.event("history.trimmed", json!({"from": from, "cut": from - 1}));
            let (id, tokens) = (self.effect_id(), self.window().1 / 2);
            return self.request_model(CallModel { id, from, halved: true, ..call }, tokens);
        }
        if failure.kind == ModelFailureKind::BadHistory && !call.repaired && !call.summarises {
            self.warn("history_repaired", "the provider took a call for unanswered; it is asked once more");
            let (id, tokens) = (self.effect_id(), self.window().1);
            return self.request_model(CallModel { id, repaired: true, ..call }, tokens);
        }
        if call.doubled && failure.kind == ModelFailureKind::Permanent {
            // The doubled limit may exceed the model's own.
            self.state.turn.cut += 1;
            let (id, tokens) = (self.effect_id(), self.window().1);
            return self.request_model(CallModel { id, doubled: false, ..call }, tokens);
        }
        if call.summarises {
            // The conversation continues without a summary.
            return self.keep_summary(call.to, None);
        }
        let fallbacks = self.agent.node(&call.node).map_or(0, |node| node.llm.fallbacks.len());
        if call.fallback < fallbacks {
            let fallback = call.fallback + 1;
            if self.state.facts.rules >= 3 {
                self.state.turn.fallback = fallback;
            }
            self.event("llm.fallback", json!({"fallback": fallback, "message": failure.message}));
            let (id, tokens) = (self.effect_id(), self.window().1);
            return self.request_model(CallModel { id, fallback, adapted: 0, room: None, ..call }, tokens);
        }
        let code = match failure.kind {
            ModelFailureKind::KeyMissing => "llm_key_missing",
            ModelFailureKind::ProviderMissing => "llm_provider_missing",
            _ => "llm_unavailable",
        };
        self.fail_without_answer(code, &failure.message);
    }

    /// Ends the execution because its model is of no use; the contact gets the agent's sentence for
    /// that.
    pub(crate) fn fail_without_answer(&mut self, code: &str, message: &str) {
        if let Some(text) = self.agent.limits.failure_message.clone() {
            self.send(Content::Text(text), None);
        }
        self.fail(code, message);
    }

    /// Asks the next fallback for the rest of the turn, because the answers of this model (0: the agent's
    /// own) cannot be used. Without one, and before rules 3, the execution fails.
    pub(crate) fn give_model_up(&mut self, asked: usize, message: &str) {
        let fallbacks = self.agent.node(&self.state.visit.node).map_or(0, |node| node.llm.fallbacks.len());
        let fallback = asked.max(self.state.turn.fallback) + 1;
        if self.state.facts.rules < 3 || fallback > fallbacks {
            return self.fail_without_answer("llm_unavailable", message);
        }
        self.event("llm.fallback", json!({"fallback": fallback, "message": message}));
        let turn = &mut self.state.turn;
        (turn.fallback, turn.empty, turn.silent, turn.unusable, turn.cut) = (fallback, 0, 0, 0, 0);
    }

    /// Does what the refusal table says (docs/spec/engine.md 5.3). `false`: another attempt of this
    /// kind does not help.
    fn answer_refusal(&mut self, call: &CallModel, failure: &ModelFailure) -> bool {
        let next = match failure.kind {
            ModelFailureKind::Adapted if call.adapted < limits::ADAPTED => {
                CallModel { adapted: call.adapted + 1, ..call.clone() }
            }
            ModelFailureKind::TooLong if call.room.is_none() && !call.summarises => {
                let Some(room) = failure.length.as_deref().copied().and_then(room_left) else { return false };
                CallModel { room: Some(room), ..call.clone() }
            }
            ModelFailureKind::ToolRefused => {
                let Some(tool) = failure.tool.clone().filter(|tool| self.may_be_left_out(call, tool)) else {
                    return false;
                };
                let message = "the model's provider refused the tool; it is not offered in this visit";
                self.event("warning", json!({"code": "tool_refused", "tool": tool, "message": message}));
                self.state.visit.refused_tools.push(tool);
                call.clone()
            }
            ModelFailureKind::Malformed if !call.summarises && self.state.turn.empty + 1 < limits::EMPTY => {
                self.state.turn.empty += 1;
                self.note(&without_comments(MALFORMED));
                // The loop asks with the note.
                return true;
            }
            ModelFailureKind::Filtered if !call.summarises => {
                self.leave_out_last_input();
                return true;
            }
            _ => return false,
        };
        let (id, tokens) = (self.effect_id(), self.window().1);
        self.request_model(CallModel { id, ..next }, tokens);
        true
    }

    /// Webhooks and tools of MCP servers; an agent cannot work without the others.
    fn may_be_left_out(&self, call: &CallModel, tool: &str) -> bool {
        let known = !self.state.visit.refused_tools.iter().any(|refused| refused == tool);
        let webhook = self.agent.node(&call.node).is_some_and(|node| node.webhooks.contains_key(tool));
        known && (webhook || self.state.offers().iter().any(|offer| offer.spec.name == tool))
    }

    /// The provider's filter refused what the contact wrote. The agent refuses it as well; the
    /// contact gets the sentence of the agent, or a person.
    fn leave_out_last_input(&mut self) {
        self.event("llm.refused", json!({"text": null, "class": "content_filter"}));
        let left_out = &mut self.state.history.left_out;
        if let Some(text) = self.state.last_input.as_deref().map(str::trim).filter(|text| !text.is_empty())
            && !left_out.iter().any(|known| known == text)
        {
            left_out.push(text.to_owned());
            let too_many = left_out.len().saturating_sub(limits::LEFT_OUT);
            left_out.drain(..too_many);
        }
        self.refuse_input("content_filter");
    }

    /// The input is not answered: the contact gets the agent's sentence for that, else a person.
    pub(crate) fn refuse_input(&mut self, reason: &str) {
        match self.agent.limits.failure_message.clone() {
            Some(text) => {
                self.send(Content::Text(text), None);
                self.state.turn.refused = true;
            }
            None => {
                let reason = reason.to_owned();
                self.state.inputs.requested_status = Some(RequestedStatus { status: ExecutionStatus::Handoff, reason });
            }
        }
    }

    /// `None`: no further attempt.
    fn wait_before_retry(&self, call: &CallModel, attempts: &Attempts, failure: &ModelFailure) -> Option<Span> {
        let retry = self.agent.node(&call.node).map_or(RetryConfig::DEFAULT, |node| node.retry);
        let wait = match failure.retry_after_ms {
            Some(asked) => Span::from_millis(asked.clamp(0, limits::MODEL_RETRY_AFTER.millis())),
            None => backoff(retry, attempts.failures, &call.id),
        };
        let began = attempts.failing_since.unwrap_or(self.at);
        let in_time = self.at + wait - began <= limits::MODEL_RETRY_TOTAL;
        (attempts.failures < retry.max_retries && in_time).then_some(wait)
    }
}

/// Tokens that the model's limit leaves for the answer.
fn room_left(length: Length) -> Option<u32> {
    let left = length.limit.checked_sub(length.used).filter(|left| *left >= limits::ROOM)?;
    // Providers count differently from one request to the next.
    u32::try_from(left - left / 16).ok()
}

/// Newest entries of a request that is too long which are shown again: as many as fit by the
/// provider's numbers, else half of them.
fn kept_entries(call: &CallModel, length: Option<Length>) -> i64 {
    let all = call.to - call.from;
    let half = all - all / 2;
    let Some(length) = length.filter(|length| length.used > length.limit) else { return half };
    let share = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX / 4_096);
    let kept = all.saturating_mul(share(length.limit * 3 / 4)) / share(length.used).max(1);
    kept.min(all - 1).max(0)
}

/// Exponential backoff up to the cap, plus up to an eighth, so that calls that failed together do
/// not return together. The addition derives from the id, so a replay waits as long.
fn backoff(retry: RetryConfig, failures: u32, question: &str) -> Span {
    let cap = limits::MODEL_RETRY_CAP.max(retry.backoff).millis();
    let wait = retry.backoff.millis().saturating_mul(1 << failures.min(10)).min(cap);
    let share = question.bytes().fold(i64::from(failures), |sum, byte| (sum * 31 + i64::from(byte)) % 1_024);
    Span::from_millis((wait + wait * share / 8_192).min(cap))
}
