//! A model that gave no answer: tried again, asked with less, replaced by its fallback, or given up (engine.md 5.3). This is the only layer that
//! retries.

use crate::{effect::CallModel, limits, state::Pending, turn::Turn};
use domain::{
    Span, Timestamp,
    agent::RetryConfig,
    chat::{ModelFailure, ModelFailureKind},
};
use serde_json::json;

/// The tries of one question so far.
pub(crate) struct Tries {
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
}

impl Turn<'_> {
    /// Decides what comes after a failure.
    pub(crate) fn model_failed(&mut self, call: CallModel, tries: &Tries, failure: &ModelFailure) {
        let failures = tries.failures + 1;
        self.event("llm.failed", json!({"message": failure.message, "failures": failures}));
        if self.state.stop.is_some() {
            return;
        }
        if failure.kind == ModelFailureKind::Temporary
            && let Some(wait) = self.wait_before_retry(&call, tries, failure)
        {
            self.event("llm.retried", json!({"wait_ms": wait.millis(), "attempt": failures + 1}));
            let failing_since = tries.failing_since.or(Some(self.at));
            self.state.pending =
                Some(Pending::Model { call, failures, not_before: Some(self.at + wait), failing_since });
            return;
        }
        if failure.kind == ModelFailureKind::TooLong && !call.halved && !call.summarises {
            let from = call.from + (call.to - call.from) / 2;
            self.event("history.trimmed", json!({"from": from, "cut": from - 1}));
            let (id, tokens) = (self.effect_id(), self.window().1 / 2);
            return self.ask(CallModel { id, from, halved: true, ..call }, tokens);
        }
        if call.summarises {
            // The conversation goes on without it, as it does where nobody summarises.
            return self.keep_summary(call.to, None);
        }
        let fallbacks = self.agent.node(&call.node).map_or(0, |node| node.llm.fallbacks.len());
        if call.fallback < fallbacks {
            let fallback = call.fallback + 1;
            self.event("llm.fallback", json!({"fallback": fallback, "message": failure.message}));
            let (id, tokens) = (self.effect_id(), self.window().1);
            return self.ask(CallModel { id, fallback, ..call }, tokens);
        }
        let code = if failure.kind == ModelFailureKind::KeyMissing { "llm_key_missing" } else { "llm_unavailable" };
        self.fail(code, &failure.message);
    }

    /// How long to wait before the next try; `None`: there is none.
    fn wait_before_retry(&self, call: &CallModel, tries: &Tries, failure: &ModelFailure) -> Option<Span> {
        let retry = self.agent.node(&call.node).map_or(RetryConfig::DEFAULT, |node| node.retry);
        let wait = match failure.retry_after_ms {
            Some(asked) => Span::from_millis(asked.clamp(0, limits::MODEL_RETRY_AFTER.millis())),
            None => backoff(retry, tries.failures, &call.id),
        };
        let began = tries.failing_since.unwrap_or(self.at);
        let in_time = self.at + wait - began <= limits::MODEL_RETRY_TOTAL;
        (tries.failures < retry.max_retries && in_time).then_some(wait)
    }
}

/// The first wait, doubled with each failure up to the cap, and up to an eighth more: those who failed together must not come back
/// together. The share follows from the question, so that a replay waits as long.
fn backoff(retry: RetryConfig, failures: u32, question: &str) -> Span {
    let cap = limits::MODEL_RETRY_CAP.max(retry.backoff).millis();
    let wait = retry.backoff.millis().saturating_mul(1 << failures.min(10)).min(cap);
    let share = question.bytes().fold(i64::from(failures), |sum, byte| (sum * 31 + i64::from(byte)) % 1_024);
    Span::from_millis((wait + wait * share / 8_192).min(cap))
}
