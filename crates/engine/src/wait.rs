//! Waits: how an execution starts to wait for people, and what ends a wait.
//! A wait starts only when every send is settled: an agent must not wait for an answer to a
//! question that never arrived.

use crate::{
    effect::Effect,
    limits,
    state::{Interrupt, InterruptKind, Phase, QueuedInput},
    step_builder::StepBuilder,
};
use domain::{Timestamp, chat::ToolCall, execution::TimerKind, ids::MessageId};
use serde_json::{Value, json};

/// Kind and time of the timer that ends a wait.
fn wait_limit(step: &StepBuilder<'_>, kind: InterruptKind) -> (TimerKind, Timestamp) {
    let node = step.agent.node(&step.state.visit.node);
    let own = node.and_then(|node| node.behaviour.wait_limit).filter(|_| kind != InterruptKind::Handoff);
    if let Some(limit) = own {
        return (TimerKind::WarmEnd, step.at + limit);
    }
    // After a handoff or a template, and after a long silence, the contact has the full time.
    let full = step.at + limits::INACTIVITY;
    let has_full_time = matches!(kind, InterruptKind::Handoff | InterruptKind::Template);
    let since_message = step.state.last_message_at.map(|at| at + limits::INACTIVITY);
    let fire_at = since_message.filter(|fire_at| !has_full_time && *fire_at > step.at).unwrap_or(full);
    (TimerKind::Inactivity, fire_at)
}

pub(crate) fn timeout_reason(step: &StepBuilder<'_>, kind: InterruptKind) -> &'static str {
    match wait_limit(step, kind).0 {
        TimerKind::WarmEnd => "warm_end_timeout",
        TimerKind::Inactivity => "inactivity_timeout",
    }
}

impl StepBuilder<'_> {
    /// Starts a wait, unless a send is open or has failed.
    pub(crate) fn start_wait(&mut self, kind: InterruptKind, call: Option<ToolCall>, message: Option<String>) {
        if !self.texts_delivered(call.as_ref()) {
            return;
        }
        if let Some(call) = &call {
            self.state.calls.retain(|open| open.id != call.id);
        }
        self.state.sent_call = None;
        self.state.inputs.requested_status = None;
        let id = self.next_id("interrupt");
        let expires_at = self.set_timer(kind);
        self.event("interrupt.created", json!({"id": id, "kind": kind}));
        let node = self.state.visit.node.clone();
        let interrupt = Interrupt { id, kind, node, call, message, since: self.at, expires_at: Some(expires_at) };
        let reason = match kind {
            InterruptKind::Handoff => self.state.handoff.reason.clone().unwrap_or_default(),
            InterruptKind::Manual => "set_by_api".into(),
            _ => "waiting".into(),
        };
        self.finish_turn(Phase::Waiting(interrupt), &reason);
    }

    /// Sets the timer of a wait; an earlier timer becomes invalid.
    pub(crate) fn set_timer(&mut self, kind: InterruptKind) -> Timestamp {
        let (timer, fire_at) = wait_limit(self, kind);
        self.state.generation += 1;
        self.effect(Effect::SetTimer { kind: timer, generation: self.state.generation, fire_at });
        fire_at
    }

    /// Leaves the wait if there is a reason. `false`: still waiting.
    /// Messages of others stay queued: before the reply they would stand between a call and its
    /// result.
    pub(crate) fn leave_wait(&mut self) -> bool {
        let Some(interrupt) = self.state.phase.interrupt().cloned() else { return true };
        if interrupt.kind == InterruptKind::Handoff {
            return self.leave_handoff();
        }
        let resume = self.state.inputs.resume.take();
        if resume.is_none() && self.state.inputs.queued.is_empty() {
            return false;
        }
        self.effect(Effect::ClearTimer);
        self.event("interrupt.resolved", json!({"id": interrupt.id}));
        if let Some(resume) = resume {
            let bare = resume.message.is_none() && self.state.inputs.queued.is_empty();
            let id = resume.id.clone();
            self.queue_resume_message(resume);
            if bare {
                self.state.inputs.queued.push(QueuedInput::Data { id, value: json!({"resumed": true}) });
            }
        }
        self.begin_turn("resume");
        if let Some(call) = interrupt.call {
            let parts = self.queued_parts();
            let (result, pictures) = self.reply();
            self.answer_first_call(&call, result);
            self.name_parts(parts);
            self.append_pictures(pictures);
        }
        true
    }

    /// Returns the queued input as the result of the waiting call (docs/spec/engine.md 2.7).
    /// Version 1 gets the text as an object. Version 2 gets the text, which becomes a message as
    /// well.
    /// The pictures are those that the message does not show.
    fn reply(&mut self) -> (Value, Vec<MessageId>) {
        let Some(text) = self.queued_text() else { return (self.take_queued_data(), Vec::new()) };
        if !self.agent.sends_only_by_tools() {
            return (Value::String(text), Vec::new());
        }
        let pictures = self.take_queued_messages();
        (json!({"text": text}), pictures)
    }
}
