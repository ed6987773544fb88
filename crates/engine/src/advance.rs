//! One step: inputs in, effects out.
//!
//! The loop is engine.md 2.3 with its letters kept. It stops as soon as something outside must happen first, and every stop
//! is a safe point: inputs that arrived meanwhile come with the outcome and are looked at before anything else.

use crate::{
    compile::Compiled,
    effect::Step,
    input::{Input, SendOutcome},
    nodes,
    state::{FailedSend, InterruptKind, Pending, Resume, State, Waiting},
    tools,
    turn::Turn,
};
use domain::{Timestamp, chat::ModelResponse, execution::ExecutionStatus};
use serde_json::json;

/// Takes the state as far as it can go without the world. The same state, time and inputs give the same step.
pub fn advance(agent: &Compiled, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    let mut turn = Turn::new(agent, state, at);
    for input in inputs {
        take_in(&mut turn, input);
    }
    // Outcomes come after what people want: a stop or a message in the same step must be known when an answer is judged.
    let mut answer = None;
    for input in inputs {
        take_outcome(&mut turn, input, &mut answer);
    }
    if let Some(response) = answer {
        turn.take_answer(response);
    }
    for input in inputs {
        if let Input::Timer { generation } = input {
            fire(&mut turn, *generation);
        }
    }
    run(&mut turn);
    turn.finish()
}

/// What people and programs want. An execution that is over hears nothing, except that a failed one may be resumed.
fn take_in(turn: &mut Turn<'_>, input: &Input) {
    let over = turn.state.status.is_over();
    if over && !turn.can_be_revived() {
        return;
    }
    match input {
        Input::Said { id, text } => turn.state.inbox.push(Waiting::Said { id: id.clone(), text: text.clone() }),
        Input::Data { id, value } => turn.state.inbox.push(Waiting::Data { id: id.clone(), value: value.clone() }),
        Input::Outside { text, .. } if text.trim().is_empty() => {}
        Input::Outside { text, .. } => turn.state.outside.push(text.clone()),
        Input::Resume { message, .. } => {
            let resume = Resume { message: message.clone() };
            if over || turn.state.interrupt.is_some() {
                let earlier = turn.state.resume.replace(resume);
                earlier.into_iter().for_each(|earlier| turn.take_message(earlier));
            } else {
                // It came too late: something else has ended the rest. Kept, it would end the next rest at once.
                turn.take_message(resume);
            }
        }
        Input::Stop { reason, .. } if !over => turn.state.stop = Some(reason.clone()),
        _ => {}
    }
}

fn take_outcome(turn: &mut Turn<'_>, input: &Input, answer: &mut Option<ModelResponse>) {
    match input {
        Input::Model { effect, response } => {
            let awaited = turn.take_pending_model(effect).map(|_| response.clone());
            *answer = awaited.or_else(|| answer.take());
        }
        Input::ModelFailed { effect, failure } => {
            if let Some((call, failures)) = turn.take_pending_model(effect) {
                turn.model_failed(call, failures, failure);
            }
        }
        Input::Tool { effect, answer } => {
            if let Some(call) = turn.take_pending_tool(effect) {
                let result = tools::webhook_request::result(turn, &call, answer);
                turn.answer_first_call(&call, result);
            }
        }
        Input::Sent { effect, outcome } => settle_send(turn, effect, outcome),
        _ => {}
    }
}

fn settle_send(turn: &mut Turn<'_>, effect: &str, outcome: &SendOutcome) {
    let Some(place) = turn.state.sends.iter().position(|send| send.effect == effect) else { return };
    let send = turn.state.sends.remove(place);
    match outcome {
        SendOutcome::Accepted { message_id } => turn.event("message.sent", json!({"message_id": message_id})),
        SendOutcome::Unconfirmed { message_id } => {
            turn.event("message.unconfirmed", json!({"message_id": message_id}));
        }
        SendOutcome::Failed { code, message } => {
            turn.event("message.failed", json!({"code": code, "message": message}));
            // What was still on its way when the execution ended or was stopped cannot make it fail any more.
            if turn.state.status.is_over() || turn.state.stop.is_some() {
                return;
            }
            if code == "channel_auth" {
                return turn.fail("channel_auth", message);
            }
            let failed = FailedSend { call_id: send.call_id, code: code.clone(), message: message.clone() };
            turn.state.failed_sends.push(failed);
        }
    }
    let open_of = |state: &State, id: &str| state.sends.iter().any(|open| open.call_id.as_deref() == Some(id));
    match turn.state.pending.take() {
        Some(Pending::AllSends) if turn.state.sends.is_empty() => turn.waited = true,
        Some(Pending::SendsOf { call }) if !open_of(turn.state, &call.id) => {
            let result = tools::send_notification::result(turn, &call);
            turn.answer_first_call(&call, result);
        }
        other => turn.state.pending = other,
    }
}

/// A late timer, of a rest that is over, changes nothing; neither does one that comes together with a reply.
fn fire(turn: &mut Turn<'_>, generation: i64) {
    let state = &turn.state;
    let wanted = !state.inbox.is_empty() || state.resume.is_some() || state.stop.is_some();
    let resting = state.interrupt.as_ref().map(|interrupt| interrupt.kind);
    let Some(kind) = resting.filter(|_| state.generation == generation && !wanted) else { return };
    let warm = kind != InterruptKind::Handoff && nodes::warm_end::patience(turn.agent, &state.node).is_some();
    turn.end(if warm { "warm_end_timeout" } else { "inactivity_timeout" });
}

fn run(turn: &mut Turn<'_>) {
    loop {
        if turn.state.status.is_over() && !turn.revive() {
            return;
        }
        // a. a stop is obeyed at once, except between a tool's effect and its outcome
        if turn.state.stop.is_some() && !matches!(turn.state.pending, Some(Pending::Tool { .. })) {
            return turn.stop();
        }
        if turn.state.interrupt.is_some() && !turn.leave_rest() {
            return;
        }
        if turn.state.pending.is_some() {
            return;
        }
        turn.begin_if_new();
        // b. calls without a result come first, in order
        if let Some(call) = turn.state.calls.first().cloned() {
            if !turn.call_over_limits(&call) {
                tools::run(turn, &call);
            }
            continue;
        }
        // c., d. what others and the contact said meanwhile
        turn.take_outside();
        turn.take_inbox();
        // e. the step prompt of a node that was just entered
        if turn.state.entering {
            turn.show_step_prompt();
            continue;
        }
        // f. a handoff rests without asking the model
        if nodes::handoff::rests(turn) {
            continue;
        }
        // g., h. limits, then the model
        if turn.state.turn.empty >= 2 {
            turn.rest(InterruptKind::Idle, None);
            continue;
        }
        if !turn.over_limits() {
            turn.call_model();
        }
    }
}

impl Turn<'_> {
    fn can_be_revived(&self) -> bool {
        let retryable = self.state.error.as_ref().is_some_and(|error| error.retryable);
        self.state.status == ExecutionStatus::Failed && retryable
    }

    /// A failed execution with a retryable error goes on when it is resumed; others stay over.
    fn revive(&mut self) -> bool {
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
