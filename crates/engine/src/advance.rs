//! One step: inputs in, effects out.
//!
//! The loop is engine.md 2.3 with its letters kept. It stops as soon as something outside must happen first, and every stop
//! is a safe point: inputs that arrived meanwhile come with the outcome and are looked at before anything else.

use crate::{
    compile::Compiled,
    effect::Step,
    input::{Input, SendOutcome},
    limits,
    nodes,
    state::{FailedSend, InterruptKind, Pending, Resume, State, Waiting},
    tools,
    turn::Turn,
};
use domain::{Timestamp, chat::{ChatMessage, ModelResponse}, execution::ExecutionStatus};
use serde_json::json;

/// Takes the state as far as it can go without the world. The same state, time and inputs give the same step.
pub fn advance(agent: &Compiled, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    let mut turn = Turn::new(agent, state, at);
    let mut answer = None;
    for input in inputs {
        accept(&mut turn, input, &mut answer);
    }
    if let Some(response) = answer {
        take_answer(&mut turn, response);
    }
    run(&mut turn);
    turn.finish()
}

fn accept(turn: &mut Turn<'_>, input: &Input, answer: &mut Option<ModelResponse>) {
    match input {
        Input::Said { id, text } => turn.state.inbox.push(Waiting::Said { id: id.clone(), text: text.clone() }),
        Input::Data { id, value } => turn.state.inbox.push(Waiting::Data { id: id.clone(), value: value.clone() }),
        Input::Outside { text, .. } => turn.state.outside.push(text.clone()),
        Input::Resume { message, .. } => turn.state.resume = Some(Resume { message: message.clone() }),
        Input::Stop { reason, .. } => turn.state.stop = Some(reason.clone()),
        Input::Timer { generation } => fire(turn, *generation),
        Input::Model { effect, response } => {
            if turn.take_pending_model(effect).is_some() {
                *answer = Some(response.clone());
            }
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
    }
}

/// A late timer, of a rest that is over, changes nothing.
fn fire(turn: &mut Turn<'_>, generation: i64) {
    let resting = turn.state.interrupt.as_ref().map(|interrupt| interrupt.kind);
    let Some(kind) = resting.filter(|_| turn.state.generation == generation) else { return };
    let warm = kind != InterruptKind::Handoff && nodes::warm_end::patience(turn.agent, &turn.state.node).is_some();
    turn.end(if warm { "warm_end_timeout" } else { "inactivity_timeout" });
}

fn settle_send(turn: &mut Turn<'_>, effect: &str, outcome: &SendOutcome) {
    let Some(place) = turn.state.sends.iter().position(|send| send.effect == effect) else { return };
    let send = turn.state.sends.remove(place);
    match outcome {
        SendOutcome::Accepted { message_id } => turn.event("message.accepted", json!({"message_id": message_id})),
        SendOutcome::Unconfirmed { message_id } => turn.event("message.unconfirmed", json!({"message_id": message_id})),
        SendOutcome::Failed { code, message } => {
            turn.event("message.failed", json!({"code": code, "message": message}));
            if code == "channel_auth" {
                return turn.fail("channel_auth", message);
            }
            turn.state.failed_sends.push(FailedSend { call_id: send.call_id, code: code.clone(), message: message.clone() });
        }
    }
    match turn.state.pending.take() {
        Some(Pending::AllSends) if turn.state.sends.is_empty() => {}
        Some(Pending::SendsOf { call }) if !turn.state.sends.iter().any(|open| open.call_id.as_deref() == Some(&call.id)) => {
            let result = tools::send_notification::result(turn, &call);
            turn.answer_first_call(&call, result);
        }
        other => turn.state.pending = other,
    }
}

/// (i) and (j): an answer is thrown away when somebody wrote meanwhile, unless that happens all the time.
fn take_answer(turn: &mut Turn<'_>, response: ModelResponse) {
    turn.state.usage.add(response.usage);
    turn.event("llm.responded", json!({"text": response.text, "tool_calls": response.tool_calls, "usage": response.usage}));
    if turn.state.stop.is_some() {
        return;
    }
    if !turn.state.inbox.is_empty() && turn.state.turn.discarded < limits::DISCARDED {
        turn.state.turn.discarded += 1;
        turn.event("llm.discarded", json!({"usage": response.usage}));
        return;
    }
    let text = response.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut calls = response.tool_calls;
    for call in &mut calls {
        // Providers repeat ids or leave them out; ours are unique in the execution by being counted.
        call.id = turn.next_id("call");
    }
    if text.is_none() && calls.is_empty() {
        turn.state.turn.empty += 1;
        turn.event("llm.empty", json!(null));
        let note = "[system note] Your answer was empty and nothing was sent. Say something to the person or call a tool.";
        turn.append("engine", ChatMessage::User { content: note.into() });
        return;
    }
    turn.state.turn.empty = 0;
    if calls.is_empty() {
        // A text alone is said, and then the agent waits: the reply becomes the result of this call.
        calls.push(turn.own_call(tools::wait_for_user::NAME, json!({})));
    }
    turn.append("model", ChatMessage::Assistant { content: text.clone(), tool_calls: calls.clone() });
    turn.state.calls = calls;
    if let Some(text) = text {
        turn.say(&text, None);
    }
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
            tools::run(turn, &call);
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
    /// A failed execution with a retryable error goes on when it is resumed; others stay over.
    fn revive(&mut self) -> bool {
        let retryable = self.state.error.as_ref().is_some_and(|error| error.retryable);
        let Some(resume) = self.state.resume.take().filter(|_| self.state.status == ExecutionStatus::Failed && retryable) else {
            return false;
        };
        self.state.error = None;
        self.state.turn = Default::default();
        self.take_message(resume);
        self.status(ExecutionStatus::Running, "resumed");
        true
    }
}
