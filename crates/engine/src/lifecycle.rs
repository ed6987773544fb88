//! Start, end and revival of an execution.

use crate::{
    agent::Compiled,
    effect::{Effect, Step},
    input::{ForcedEnd, Input},
    prompt,
    state::{End, Phase, State},
    step_builder::StepBuilder,
};
use domain::{Timestamp, execution::ExecutionError};
use serde_json::json;

/// Fails an execution whose agent cannot run. One that is over keeps its status. Of the inputs only
/// outcomes of sends count: a later resume must not wait for them.
pub fn fail_unrunnable(state: &mut State, at: Timestamp, inputs: &[Input], why: &str) -> Step {
    let agent = Compiled::empty();
    let mut step = StepBuilder::new(&agent, state, at);
    if !step.state.phase.is_over() {
        step.fail("graph_invalid", why);
    }
    for input in inputs {
        if let Input::Sent { effect, outcome } = input {
            step.settle_send(effect, outcome);
        }
    }
    step.finish()
}

/// Ends an execution without its agent. One that is over stays as it is.
pub fn force_end(state: &mut State, at: Timestamp, end: ForcedEnd, code: &str, message: &str) -> Step {
    let agent = Compiled::empty();
    let mut step = StepBuilder::new(&agent, state, at);
    if !step.state.phase.is_over() {
        match end {
            ForcedEnd::Failed => step.fail(code, message),
            ForcedEnd::Stopped => {
                step.state.inputs.stop = Some(code.into());
                step.stop();
            }
        }
    }
    step.finish()
}

impl StepBuilder<'_> {
    /// Enters the node that `__start__` leads to; `__start__` itself asks no model.
    pub(crate) fn begin_if_new(&mut self) {
        if self.state.phase != Phase::New {
            return;
        }
        self.event("execution.created", json!({"agent_id": self.state.facts.agent_id}));
        self.begin_turn("start");
        self.warn_about(&prompt::system(self.agent, self.state, self.at));
        self.append_external_messages();
        self.append_queued_inputs();
        match self.agent.first().map(str::to_owned) {
            Some(first) => self.enter(&first, None, "start"),
            None => self.fail("graph_invalid", "__start__ leads nowhere"),
        }
    }

    /// Ends the execution. Every open call gets a result, and queued messages go to the history,
    /// for people and for a later resume.
    fn finish_execution(&mut self, end: End, reason: &str, unanswered: &str) {
        let waiting = self.state.phase.interrupt().and_then(|interrupt| interrupt.call.clone());
        self.state.calls.splice(0..0, waiting);
        self.skip_calls(unanswered);
        self.drop_pending();
        self.state.inputs.requested_status = None;
        self.append_external_messages();
        self.append_queued_inputs();
        self.state.generation += 1;
        self.effect(Effect::ClearTimer);
        self.finish_turn(Phase::Over(end), reason);
    }

    pub(crate) fn end(&mut self, reason: &str) {
        self.finish_execution(End::Ended { reason: Some(reason.into()) }, reason, "interrupted");
    }

    pub(crate) fn stop(&mut self) {
        let reason = self.state.inputs.stop.take().unwrap_or_default();
        self.finish_execution(End::Stopped, &reason, "stopped");
    }

    pub(crate) fn fail(&mut self, code: &str, message: &str) {
        let error = ExecutionError::new(code, message, Some(self.state.visit.node.clone()));
        let error = ExecutionError { at: Some(self.at), ..error };
        self.finish_execution(End::Failed(error), code, "interrupted");
    }

    pub(crate) fn can_be_resumed(&self) -> bool {
        self.state.phase.error().is_some_and(|error| error.retryable)
    }

    /// Continues a failed execution with a retryable error when it is resumed. Sends from before the
    /// failure stay open until their outcomes arrive: a handoff must wait for them.
    pub(crate) fn resume_failed(&mut self) -> bool {
        if !self.can_be_resumed() {
            return false;
        }
        let Some(resume) = self.state.inputs.resume.take() else { return false };
        // Their calls were answered when the execution failed: a late failure is reported like that
        // of a text.
        for send in &mut self.state.sends {
            send.call_id = None;
        }
        self.queue_resume_message(resume);
        self.begin_turn("resume");
        true
    }
}
