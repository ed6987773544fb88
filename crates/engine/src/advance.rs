//! One step: inputs in, effects out.
//!
//! The loop keeps the letters of docs/spec/engine.md 2.3. It stops as soon as an external outcome
//! is needed. Every stop is a safe point: inputs that arrived meanwhile come with the outcome and
//! are handled first.

use crate::{
    agent::Compiled,
    ask::Asked,
    effect::Step,
    input::Input,
    rest,
    retry::Tries,
    state::{Pending, Resume, State, Waiting, Wanted},
    tools,
    turn::Turn,
};
use domain::{Timestamp, chat::ModelResponse, execution::ExecutionStatus};
use serde_json::json;

/// Advances the state until an external outcome is needed. The same state, time and inputs give the
/// same step.
pub fn advance(agent: &Compiled, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    let mut turn = Turn::new(agent, state, at);
    for input in inputs {
        take_in(&mut turn, input);
    }
    // Outcomes come last: a stop or a message of the same step must be stored before an answer is
    // judged.
    let mut answer = None;
    for input in inputs {
        take_outcome(&mut turn, input, &mut answer);
    }
    if let Some((asked, response)) = answer {
        turn.take_answer(&asked, response);
    }
    for input in inputs {
        if let Input::Timer { generation } = input {
            fire(&mut turn, *generation);
        }
    }
    run(&mut turn);
    turn.finish()
}

/// Stores inputs of people and programs. An execution that is over ignores them, except for the
/// resume of a retryable failure.
fn take_in(turn: &mut Turn<'_>, input: &Input) {
    let over = turn.state.status.is_over();
    if over && !turn.can_be_revived() {
        return;
    }
    match input {
        Input::Said { id, text } => turn.hear(Waiting::Said { id: id.clone(), text: text.clone() }),
        Input::TakenOver => turn.requeue(),
        Input::Contact(contact) => turn.state.contact = Some(contact.clone()),
        Input::Data { id, value } => turn.hear(Waiting::Data { id: id.clone(), value: value.clone() }),
        Input::Outside { text, .. } if text.trim().is_empty() => {}
        Input::Outside { text, .. } => turn.state.outside.push(text.clone()),
        Input::Earlier { messages } => turn.take_earlier(messages),
        Input::Resume { interrupt, .. } if !turn.state.rests_in(interrupt.as_deref()) => {
            turn.warn("interrupt_mismatch", "a resume named a rest that is over");
        }
        Input::Resume { id, message, .. } => {
            let resume = Resume { id: id.clone(), message: message.clone() };
            // A person may take over and resume before the agent reaches a safe point: the resume
            // counts.
            let on_its_way = turn.state.wanted.as_ref().is_some_and(|wanted| wanted.status == ExecutionStatus::Handoff);
            if over || turn.state.interrupt.is_some() || on_its_way {
                let earlier = turn.state.resume.replace(resume);
                earlier.into_iter().for_each(|earlier| turn.take_message(earlier));
            } else {
                // Too late: something else has ended the wait. A resume that is kept would end the
                // next wait at once.
                turn.take_message(resume);
            }
        }
        Input::SetStatus { status, reason, .. } if turn.state.status.may_be_set(*status) => {
            turn.state.wanted = Some(Wanted { status: *status, reason: reason.clone() });
            // A new takeover cancels an earlier resume that was not acted on.
            if *status == ExecutionStatus::Handoff
                && let Some(void) = turn.state.resume.take()
            {
                turn.take_message(void);
            }
        }
        Input::Stop { reason, .. } if !over => turn.state.stop = Some(reason.clone()),
        _ => {}
    }
}

fn take_outcome(turn: &mut Turn<'_>, input: &Input, answer: &mut Option<(Asked, ModelResponse)>) {
    match input {
        Input::Model { effect, response } => {
            if let Some(Pending::Model { call, failures, not_before, .. }) = turn.take_pending(effect) {
                let asked = Asked { since: not_before.unwrap_or(call.at), attempt: failures + 1, call };
                *answer = Some((asked, response.clone()));
            }
        }
        Input::ModelFailed { effect, failure } => {
            if let Some(Pending::Model { call, failures, failing_since, .. }) = turn.take_pending(effect) {
                turn.model_failed(call, &Tries { failures, failing_since }, failure);
            }
        }
        Input::Tool { effect, answer } => {
            if let Some(Pending::Tool { call, request, since, .. }) = turn.take_pending(effect) {
                let result = match request.mcp {
                    Some(_) => tools::mcp::result(turn, &call, answer),
                    None => tools::webhook_request::result(turn, &call, answer),
                };
                turn.state.turn.effects.push(effect.clone());
                turn.answer_call(&call, result, since.unwrap_or(turn.at));
            }
        }
        Input::Retrieved { effect, retrieval } => {
            if let Some(Pending::Retrieval { call, since, .. }) = turn.take_pending(effect) {
                turn.answer_call(&call, tools::kb_retrieval::result(retrieval), since);
            }
        }
        Input::ToolsListed { effect, lists } => {
            if let Some(Pending::ToolList { .. }) = turn.take_pending(effect) {
                turn.take_tool_lists(lists);
            }
        }
        Input::SecretsMissing { names } => {
            for name in names {
                turn.event("warning", json!({"code": "unknown_variable", "path": format!("secrets.{name}")}));
            }
        }
        Input::Sent { effect, outcome } => turn.settle_send(effect, outcome),
        _ => {}
    }
}

/// A timer of an earlier wait changes nothing, nor does one that arrives together with a reply.
fn fire(turn: &mut Turn<'_>, generation: i64) {
    let state = &turn.state;
    let wanted = !state.inbox.is_empty() || state.resume.is_some() || state.stop.is_some() || state.wanted.is_some();
    let resting = state.interrupt.as_ref().map(|interrupt| interrupt.kind);
    let Some(kind) = resting.filter(|_| state.generation == generation && !wanted) else { return };
    turn.end(rest::timeout_reason(turn, kind));
}

fn run(turn: &mut Turn<'_>) {
    loop {
        if turn.state.status.is_over() && !turn.revive() {
            return;
        }
        // a. a stop is obeyed at once, except between a tool's effect and its outcome
        if turn.state.stop.is_some() && !turn.waits_for_tool() {
            return turn.stop();
        }
        // and so is a status set by the API
        if turn.obey() {
            continue;
        }
        if turn.state.interrupt.is_some() {
            if turn.leave_rest() {
                continue;
            }
            return;
        }
        if turn.gives_up_question() {
            continue;
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
        // c., d. messages of others and of the contact
        turn.take_outside();
        turn.take_inbox();
        // e. the step prompt of a node just entered, once its MCP servers have listed their tools
        if turn.lists_tools() {
            continue;
        }
        if turn.state.entering {
            turn.show_step_prompt();
            continue;
        }
        // f. a handoff waits and asks no model
        if turn.rests_for_person() {
            continue;
        }
        // g., h. limits, then the model
        if turn.rests_in_silence() {
            continue;
        }
        if !turn.over_limits() {
            turn.call_model();
        }
    }
}
