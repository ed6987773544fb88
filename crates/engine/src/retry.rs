//! A failed model call: repeated, shortened, given to a fallback, or given up (docs/spec/engine.md
//! 5.3). No other layer retries.

use crate::{
    effect::CallModel,
    limits,
    state::Pending,
    step_builder::{ReplacedCall, StepBuilder},
};
use domain::{
    Span, Timestamp,
    agent::RetryConfig,
    chat::{ModelFailure, ModelFailureKind, Usage},
};
use serde_json::json;

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
        if self.state.inputs.queued.is_empty() || call.summarises || starves {
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
        self.event("llm.failed", json!({"message": failure.message, "failures": failures}));
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
        if failure.kind == ModelFailureKind::TooLong && !call.halved && !call.summarises {
            let from = call.from + (call.to - call.from) / 2;
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
            self.event("llm.fallback", json!({"fallback": fallback, "message": failure.message}));
            let (id, tokens) = (self.effect_id(), self.window().1);
            return self.request_model(CallModel { id, fallback, ..call }, tokens);
        }
        let code = if failure.kind == ModelFailureKind::KeyMissing { "llm_key_missing" } else { "llm_unavailable" };
        self.fail(code, &failure.message);
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

/// Exponential backoff up to the cap, plus up to an eighth, so that calls that failed together do
/// not return together. The addition derives from the id, so a replay waits as long.
fn backoff(retry: RetryConfig, failures: u32, question: &str) -> Span {
    let cap = limits::MODEL_RETRY_CAP.max(retry.backoff).millis();
    let wait = retry.backoff.millis().saturating_mul(1 << failures.min(10)).min(cap);
    let share = question.bytes().fold(i64::from(failures), |sum, byte| (sum * 31 + i64::from(byte)) % 1_024);
    Span::from_millis((wait + wait * share / 8_192).min(cap))
}
