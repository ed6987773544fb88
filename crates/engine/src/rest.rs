//! Resting until somebody says something, and what ends a rest.
//!
//! An execution rests only when everything it said has left: an agent must not wait for an answer to a question that
//! nobody has seen.

use crate::{
    effect::{Effect, TimerKind},
    limits, nodes,
    state::{FailedSend, Interrupt, InterruptKind, Pending, Waiting},
    turn::Turn,
};
use domain::{
    chat::{ChatMessage, ToolCall},
    execution::{ExecutionInput, ExecutionStatus},
};
use serde_json::{Value, json};

impl Turn<'_> {
    /// Rests, unless something that was said is still on its way or was refused.
    pub(crate) fn rest(&mut self, kind: InterruptKind, call: Option<ToolCall>) {
        if !self.texts_delivered(call.as_ref()) {
            return;
        }
        if let Some(call) = &call {
            self.state.calls.retain(|open| open.id != call.id);
        }
        let id = self.next_id("interrupt");
        let (timer, patience) = match nodes::warm_end::patience(self.agent, &self.state.node) {
            Some(patience) => (TimerKind::WarmEnd, patience),
            None => (TimerKind::Inactivity, limits::INACTIVITY),
        };
        self.state.generation += 1;
        self.effect(Effect::SetTimer { kind: timer, generation: self.state.generation, fire_at: self.at + patience });
        self.event("interrupt.created", json!({"id": id, "kind": kind}));
        self.state.interrupt = Some(Interrupt { id, kind, node: self.state.node.clone(), call, since: self.at });
        match kind {
            InterruptKind::Handoff => {
                let reason = self.state.handoff_reason.clone().unwrap_or_default();
                self.finish_turn(ExecutionStatus::Handoff, &reason);
            }
            InterruptKind::Wait | InterruptKind::Idle => self.finish_turn(ExecutionStatus::Paused, "waiting"),
        }
    }

    /// Whether nothing is on its way; otherwise the step ends here and goes on when the last send is settled.
    pub(crate) fn all_sends_settled(&mut self) -> bool {
        if !self.state.sends.is_empty() {
            self.state.pending = Some(Pending::AllSends);
        }
        self.state.sends.is_empty()
    }

    /// Whether all that was said has left. Where it was refused, the model is told, as the result of the call that wanted
    /// to rest if there is one, and may try again a few times.
    pub(crate) fn texts_delivered(&mut self, call: Option<&ToolCall>) -> bool {
        if !self.all_sends_settled() {
            return false;
        }
        let Some(failed) = self.take_failed_texts() else { return true };
        self.state.turn.failed_sends += 1;
        self.state.turn.empty = 0;
        match call {
            Some(call) => self.answer_first_call(call, json!({"error": failed.message, "code": failed.code})),
            None => self.note_undelivered(&failed),
        }
        if self.state.turn.failed_sends >= limits::FAILED_SENDS {
            self.fail("send_failed", &failed.message);
        }
        false
    }

    /// The first plain text that was refused; the others are forgotten with it, for the model is told once.
    pub(crate) fn take_failed_texts(&mut self) -> Option<FailedSend> {
        let place = self.state.failed_sends.iter().position(|failed| failed.call_id.is_none())?;
        let first = self.state.failed_sends.remove(place);
        self.state.failed_sends.retain(|failed| failed.call_id.is_some());
        Some(first)
    }

    pub(crate) fn note_undelivered(&mut self, failed: &FailedSend) {
        self.note(&format!("Your last message was not delivered: {} ({})", failed.message, failed.code));
    }

    /// Leaves rest if there is a reason to. `false`: still resting.
    ///
    /// What others said in our name waits too: until the reply comes, it would stand between a call and its result.
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
        self.begin_turn(if resume.is_some() { "resume" } else { "input" });
        if let Some(resume) = resume {
            let bare = resume.message.is_none() && self.state.inbox.is_empty();
            self.take_message(resume);
            if bare {
                self.state.inbox.push(Waiting::Data { id: "resume".into(), value: json!({"resumed": true}) });
            }
        }
        if let Some(call) = interrupt.call {
            // Version 2: the reply is the call's result, and then a message of its own (engine.md 2.7).
            let result = self.inbox_text().map_or_else(|| self.take_data(), Value::String);
            self.answer_first_call(&call, result);
        }
        true
    }

    /// While a person has the conversation, what is said is recorded and the agent is silent.
    fn leave_handoff(&mut self) -> bool {
        let heard = !self.state.inbox.is_empty();
        self.take_outside();
        self.take_inbox();
        let Some(resume) = self.state.resume.take() else {
            if heard {
                self.state.generation += 1;
                let (generation, fire_at) = (self.state.generation, self.at + limits::INACTIVITY);
                self.effect(Effect::SetTimer { kind: TimerKind::Inactivity, generation, fire_at });
            }
            return false;
        };
        if let Some(interrupt) = self.state.interrupt.take() {
            self.event("interrupt.resolved", json!({"id": interrupt.id}));
        }
        self.effect(Effect::ClearTimer);
        self.begin_turn("resume");
        let message = resume.message.unwrap_or(ExecutionInput::Payload { value: json!({"resumed": true}) });
        let note = "A person has handed the conversation back to you.";
        match message {
            ExecutionInput::Payload { value } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {note}\n{value}") });
            }
            ExecutionInput::UserInput { text } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {note}") });
                self.state.inbox.push(Waiting::Said { id: "resume".into(), text });
            }
        }
        self.state.handoff_reason = None;
        match self.state.return_to.take() {
            Some(node) => self.enter(&node, None, "handoff"),
            None => self.fail("graph_invalid", "the handoff has no node to return to"),
        }
        true
    }
}
