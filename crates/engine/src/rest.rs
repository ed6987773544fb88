//! Waits: how an execution starts to wait for people, and what ends a wait.
//! A wait starts only when every send is settled: an agent must not wait for an answer to a
//! question that never arrived.

use crate::{
    effect::{Effect, TimerKind},
    limits,
    state::{Interrupt, InterruptKind, Waiting},
    turn::Turn,
};
use domain::{Timestamp, chat::ToolCall, execution::ExecutionStatus};
use serde_json::{Value, json};

/// Longest duration of a wait.
fn patience(turn: &Turn<'_>, kind: InterruptKind) -> (TimerKind, Timestamp) {
    let node = turn.agent.node(&turn.state.node);
    let warm = node.and_then(|node| node.behaviour.patience).filter(|_| kind != InterruptKind::Handoff);
    if let Some(patience) = warm {
        return (TimerKind::WarmEnd, turn.at + patience);
    }
    // After a new question following a long silence, or a template, the contact has the full time.
    let asked_anew = matches!(kind, InterruptKind::Handoff | InterruptKind::Template);
    let heard = turn.state.heard_at.map(|heard| heard + limits::INACTIVITY);
    let fire_at = heard.filter(|fire_at| !asked_anew && *fire_at > turn.at).unwrap_or(turn.at + limits::INACTIVITY);
    (TimerKind::Inactivity, fire_at)
}

pub(crate) fn timeout_reason(turn: &Turn<'_>, kind: InterruptKind) -> &'static str {
    match patience(turn, kind).0 {
        TimerKind::WarmEnd => "warm_end_timeout",
        TimerKind::Inactivity => "inactivity_timeout",
    }
}

impl Turn<'_> {
    /// Starts a wait, unless a send is open or has failed.
    pub(crate) fn rest(&mut self, kind: InterruptKind, call: Option<ToolCall>, message: Option<String>) {
        if !self.texts_delivered(call.as_ref()) {
            return;
        }
        if let Some(call) = &call {
            self.state.calls.retain(|open| open.id != call.id);
        }
        self.state.said = None;
        self.state.wanted = None;
        let id = self.next_id("interrupt");
        let expires_at = self.set_timer(kind);
        self.event("interrupt.created", json!({"id": id, "kind": kind}));
        let node = self.state.node.clone();
        self.state.interrupt =
            Some(Interrupt { id, kind, node, call, message, since: self.at, expires_at: Some(expires_at) });
        match kind {
            InterruptKind::Handoff => {
                let reason = self.state.handoff_reason.clone().unwrap_or_default();
                self.finish_turn(ExecutionStatus::Handoff, &reason);
            }
            InterruptKind::Manual => self.finish_turn(ExecutionStatus::Paused, "set_by_api"),
            _ => self.finish_turn(ExecutionStatus::Paused, "waiting"),
        }
    }

    /// Sets the timer of a wait; an earlier timer becomes invalid.
    pub(crate) fn set_timer(&mut self, kind: InterruptKind) -> Timestamp {
        let (timer, fire_at) = patience(self, kind);
        self.state.generation += 1;
        self.effect(Effect::SetTimer { kind: timer, generation: self.state.generation, fire_at });
        fire_at
    }

    /// Leaves the wait if there is a reason. `false`: still waiting.
    /// Messages of others stay queued: before the reply they would stand between a call and its
    /// result.
    pub(crate) fn leave_rest(&mut self) -> bool {
        let Some(interrupt) = self.state.interrupt.clone() else { return true };
        if interrupt.kind == InterruptKind::Handoff {
            return self.leave_handoff();
        }
        let resume = self.state.resume.take();
        if resume.is_none() && self.state.inbox.is_empty() {
            return false;
        }
        self.state.interrupt = None;
        self.effect(Effect::ClearTimer);
        self.event("interrupt.resolved", json!({"id": interrupt.id}));
        if let Some(resume) = resume {
            let bare = resume.message.is_none() && self.state.inbox.is_empty();
            let id = resume.id.clone();
            self.take_message(resume);
            if bare {
                self.state.inbox.push(Waiting::Data { id, value: json!({"resumed": true}) });
            }
        }
        self.begin_turn("resume");
        if let Some(call) = interrupt.call {
            let result = self.reply();
            self.answer_first_call(&call, result);
        }
        true
    }

    /// Returns the queued input as the result of the waiting call (docs/spec/engine.md 2.7).
    /// Version 1 gets the text as an object. Version 2 gets the text, which becomes a message as
    /// well.
    fn reply(&mut self) -> Value {
        let Some(text) = self.inbox_text() else { return self.take_data() };
        if !self.agent.speaks_by_tools() {
            return Value::String(text);
        }
        self.take_said();
        json!({"text": text})
    }
}
