//! One step: inputs in, effects out.
//!
//! The loop keeps the letters of docs/spec/engine.md 2.3. It stops as soon as an external outcome
//! is needed. Every stop is a safe point: inputs that arrived meanwhile come with the outcome and
//! are handled first.

use crate::{
    agent::Compiled,
    effect::Step,
    input::Input,
    model_answer::AnsweredCall,
    retry::Attempts,
    state::{Pending, QueuedInput, RequestedStatus, Resume, State},
    step_builder::StepBuilder,
    tool_result::ToolResult,
    tools, wait,
};
use domain::{
    Timestamp,
    chat::{ModelResponse, ToolCall},
    execution::ExecutionStatus,
};
use serde_json::json;

/// Advances the state until an external outcome is needed. The same state, time and inputs give the
/// same step.
pub fn advance(agent: &Compiled, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    let mut step = StepBuilder::new(agent, state, at);
    for input in inputs {
        take_input(&mut step, input);
    }
    // Outcomes come last: a stop or a message of the same step must be stored before an answer is
    // judged.
    let mut answer = None;
    for input in inputs {
        take_outcome(&mut step, input, &mut answer);
    }
    if let Some((answered, response)) = answer {
        step.take_answer(&answered, response);
    }
    for input in inputs {
        if let Input::Timer { generation } = input {
            fire_timer(&mut step, *generation);
        }
    }
    run(&mut step);
    step.finish()
}

/// Stores inputs of people and programs. An execution that is over ignores them, except for the
/// resume of a retryable failure.
fn take_input(step: &mut StepBuilder<'_>, input: &Input) {
    let over = step.state.phase.is_over();
    if over && !step.can_be_resumed() {
        return;
    }
    match input {
        Input::Message { id, text, picture } => {
            step.queue_input(QueuedInput::Message { id: id.clone(), text: text.clone(), picture: *picture });
        }
        Input::Edited { id, message, text, note } => step.change_message(id, message, text, note),
        Input::Deleted { messages, entries, .. } => step.delete_message(messages, entries),
        Input::Reclaimed => step.requeue(),
        Input::Contact(contact) => step.state.contact = Some(contact.clone()),
        Input::Data { id, value } => step.queue_input(QueuedInput::Data { id: id.clone(), value: value.clone() }),
        Input::ExternalMessage { text, .. } if text.trim().is_empty() => {}
        Input::ExternalMessage { text, .. } => step.state.inputs.external_messages.push(text.clone()),
        Input::Earlier { messages } => step.append_earlier_messages(messages),
        Input::Resume { interrupt, .. } if !step.state.accepts_resume(interrupt.as_deref()) => {
            step.warn("interrupt_mismatch", "a resume named a rest that is over");
        }
        Input::Resume { id, message, .. } => {
            let resume = Resume { id: id.clone(), message: message.clone() };
            // A person may take over and resume before the agent reaches a safe point: the resume
            // counts.
            let requested = step.state.inputs.requested_status.as_ref().map(|requested| requested.status);
            let handoff_requested = requested == Some(ExecutionStatus::Handoff);
            if over || step.state.phase.interrupt().is_some() || handoff_requested {
                let earlier = step.state.inputs.resume.replace(resume);
                earlier.into_iter().for_each(|earlier| step.queue_resume_message(earlier));
            } else {
                // Too late: something else has ended the wait. A resume that is kept would end the
                // next wait at once.
                step.queue_resume_message(resume);
            }
        }
        Input::SetStatus { status, reason, .. } if step.state.status().may_be_set(*status) => {
            step.state.inputs.requested_status = Some(RequestedStatus { status: *status, reason: reason.clone() });
            // A new takeover cancels an earlier resume that was not acted on.
            if *status == ExecutionStatus::Handoff
                && let Some(void) = step.state.inputs.resume.take()
            {
                step.queue_resume_message(void);
            }
        }
        Input::Stop { reason, .. } if !over => step.state.inputs.stop = Some(reason.clone()),
        _ => {}
    }
}

fn take_outcome(step: &mut StepBuilder<'_>, input: &Input, answer: &mut Option<(AnsweredCall, ModelResponse)>) {
    match input {
        Input::Model { effect, response } => {
            if let Some(Pending::Model { call, failures, not_before, .. }) = step.take_pending(effect) {
                let answered = AnsweredCall { since: not_before.unwrap_or(call.at), attempt: failures + 1, call };
                *answer = Some((answered, response.clone()));
            }
        }
        Input::ModelFailed { effect, failure } => {
            if let Some(Pending::Model { call, failures, failing_since, .. }) = step.take_pending(effect) {
                step.model_failed(call, &Attempts { failures, failing_since }, failure);
            }
        }
        Input::Tool { effect, answer } => {
            if let Some(Pending::Tool { call, request, since, .. }) = step.take_pending(effect) {
                let rule = step.agent.result_rule(step.state, &call, request.mcp.is_some());
                take_result(step, effect, &call, rule.read(answer), since);
            }
        }
        Input::ToolResult { effect, result, warning, failed } => {
            if let Some(Pending::Tool { call, since, .. }) = step.take_pending(effect) {
                let result = ToolResult { result: result.clone(), warning: warning.clone(), failed: *failed };
                take_result(step, effect, &call, result, since);
            }
        }
        Input::Retrieved { effect, retrieval } => {
            if let Some(Pending::Retrieval { call, since, .. }) = step.take_pending(effect) {
                step.answer_call(&call, tools::kb_retrieval::result(retrieval), since);
            }
        }
        Input::ToolsListed { effect, lists } => {
            if let Some(Pending::ToolList { .. }) = step.take_pending(effect) {
                step.take_tool_lists(lists);
            }
        }
        Input::SecretsMissing { names } => {
            for name in names {
                step.event("warning", json!({"code": "unknown_variable", "path": format!("secrets.{name}")}));
            }
        }
        Input::Sent { effect, outcome } => step.settle_send(effect, outcome),
        _ => {}
    }
}

fn take_result(step: &mut StepBuilder<'_>, effect: &str, call: &ToolCall, read: ToolResult, since: Option<Timestamp>) {
    if let Some(warning) = read.warning {
        step.event("warning", warning);
    }
    step.state.turn.effects.push(effect.to_owned());
    step.settle_write(call, &read.result, read.failed);
    step.answer_call(call, read.result, since.unwrap_or(step.at));
}

/// A timer of an earlier wait changes nothing, nor does one that arrives together with a reply.
fn fire_timer(step: &mut StepBuilder<'_>, generation: i64) {
    let state = &step.state;
    let waiting = state.phase.interrupt().map(|interrupt| interrupt.kind);
    let due = state.generation == generation && !state.inputs.end_wait();
    let Some(kind) = waiting.filter(|_| due) else { return };
    step.end(wait::timeout_reason(step, kind));
}

fn run(step: &mut StepBuilder<'_>) {
    loop {
        if step.state.phase.is_over() && !step.resume_failed() {
            return;
        }
        // a. a stop is obeyed at once, except between a tool's effect and its outcome
        if step.state.inputs.stop.is_some() && !step.waits_for_tool() {
            return step.stop();
        }
        // and so is a status set by the API
        if step.apply_requested_status() {
            continue;
        }
        if step.state.phase.interrupt().is_some() {
            if step.leave_wait() {
                continue;
            }
            return;
        }
        if step.discard_outdated_call() {
            continue;
        }
        if step.state.phase.pending().is_some() {
            return;
        }
        step.begin_if_new();
        // b. calls without a result come first, in order
        if let Some(call) = step.state.calls.first().cloned() {
            if !step.fail_call_over_limits(&call) {
                tools::run(step, &call);
            }
            continue;
        }
        // c., d. messages of others and of the contact
        step.append_external_messages();
        step.append_queued_inputs();
        // e. the step prompt of a node just entered, once its MCP servers have listed their tools
        if step.list_tools_if_due() {
            continue;
        }
        if step.state.visit.entering {
            step.show_step_prompt();
            continue;
        }
        // f. a handoff waits and calls no model
        if step.wait_if_handoff() {
            continue;
        }
        // g., h. limits, then the model
        if step.stop_if_silent() {
            continue;
        }
        if !step.fail_over_limits() {
            step.call_model();
        }
    }
}
