//! Beginning, ending and reviving an execution.

use crate::{
    agent::Compiled,
    effect::{Effect, Step},
    prompt,
    state::State,
    turn::Turn,
};
use domain::{
    Timestamp,
    execution::{ExecutionError, ExecutionStatus},
};
use serde_json::json;

/// Fails an execution whose agent cannot run at all. One that is over stays as it is.
pub fn fail_unrunnable(state: &mut State, at: Timestamp, why: &str) -> Step {
    let agent = Compiled::empty();
    let mut turn = Turn::new(&agent, state, at);
    if !turn.state.status.is_over() {
        turn.fail("graph_invalid", why);
    }
    turn.finish()
}

impl Turn<'_> {
    /// The first step enters the node that `__start__` leads to, without asking the model.
    pub(crate) fn begin_if_new(&mut self) {
        if self.state.status != ExecutionStatus::Started {
            return;
        }
        self.event("execution.created", json!({"agent_id": self.state.facts.agent_id}));
        self.begin_turn("start");
        for path in prompt::unknown_in_instructions(self.agent, self.state, self.at) {
            self.event("warning", json!({"code": "unknown_variable", "path": path}));
        }
        self.take_outside();
        self.take_inbox();
        match self.agent.first().map(str::to_owned) {
            Some(first) => self.enter(&first, None, "start"),
            None => self.fail("graph_invalid", "__start__ leads nowhere"),
        }
    }

    /// Ends the execution one way or another. Every call gets its result, and what the contact said stays in history: for
    /// people, and for a resume that takes it up.
    fn over(&mut self, status: ExecutionStatus, reason: &str, unanswered: &str) {
        let waiting = self.state.interrupt.take().and_then(|interrupt| interrupt.call);
        self.state.calls.splice(0..0, waiting);
        self.skip_calls(unanswered);
        self.drop_pending();
        self.state.wanted = None;
        self.take_outside();
        self.take_inbox();
        self.state.generation += 1;
        self.effect(Effect::ClearTimer);
        self.finish_turn(status, reason);
    }

    pub(crate) fn end(&mut self, reason: &str) {
        self.state.end_reason = Some(reason.into());
        self.over(ExecutionStatus::Ended, reason, "interrupted");
    }

    pub(crate) fn stop(&mut self) {
        let reason = self.state.stop.take().unwrap_or_default();
        self.over(ExecutionStatus::Stopped, &reason, "stopped");
    }

    /// Ends the execution with an error.
    pub(crate) fn fail(&mut self, code: &str, message: &str) {
        let error = ExecutionError::new(code, message, Some(self.state.node.clone()));
        self.state.error = Some(ExecutionError { at: Some(self.at), ..error });
        self.over(ExecutionStatus::Failed, code, "interrupted");
    }

    pub(crate) fn can_be_revived(&self) -> bool {
        let retryable = self.state.error.as_ref().is_some_and(|error| error.retryable);
        self.state.status == ExecutionStatus::Failed && retryable
    }

    /// A failed execution with a retryable error goes on when it is resumed; others stay over.
    pub(crate) fn revive(&mut self) -> bool {
        if !self.can_be_revived() {
            return false;
        }
        let Some(resume) = self.state.resume.take() else { return false };
        self.state.error = None;
        // Their outcomes may have been told while nobody listened: waiting for them could be for ever.
        self.state.sends.clear();
        self.take_message(resume);
        self.begin_turn("resume");
        true
    }
}
