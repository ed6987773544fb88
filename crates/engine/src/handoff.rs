//! Handoffs to people, resumes, and statuses set by the API (docs/spec/engine.md 2.9).

use crate::{
    agent::Compiled,
    effect::Effect,
    limits::OverBudget,
    state::{InterruptKind, Pending, Waiting, Wanted},
    turn::Turn,
};
use domain::{
    agent::END,
    chat::ChatMessage,
    execution::{ExecutionInput, ExecutionStatus},
};
use serde_json::json;

const HANDED_BACK: &str = "A person has handed the conversation back to you.";

impl Turn<'_> {
    /// Applies a status set by the API as soon as possible. `true`: the loop looks again.
    /// A model call is cancelled; a request or a send that has left is waited for.
    pub(crate) fn obey(&mut self) -> bool {
        let Some(Wanted { status, reason }) = self.state.wanted.clone() else { return false };
        match self.state.pending {
            Some(Pending::Model { .. }) => self.drop_pending(),
            Some(_) => return false,
            None => {}
        }
        match status {
            ExecutionStatus::Ended => self.end(&reason),
            ExecutionStatus::Failed => self.fail("set_by_api", &reason),
            ExecutionStatus::Handoff => self.hand_over(&reason),
            ExecutionStatus::Paused => return self.pause(),
            _ => self.state.wanted = None,
        }
        self.state.pending.is_none() || self.state.status.is_over()
    }

    /// Pauses once no call is open: messages during the pause would stand between a call and its
    /// result.
    fn pause(&mut self) -> bool {
        if self.state.status != ExecutionStatus::Running {
            self.state.wanted = None;
            return true;
        }
        // A handoff that is about to start comes first.
        let taken_over = self.agent.is_handoff(&self.state.node);
        if !self.state.calls.is_empty() || self.state.entering || taken_over {
            return false;
        }
        self.take_outside();
        self.take_inbox();
        self.rest(InterruptKind::Manual, None, None);
        self.state.pending.is_none()
    }

    /// Waits for a person if this is a HandoffNode.
    pub(crate) fn rests_for_person(&mut self) -> bool {
        let rests = self.agent.is_handoff(&self.state.node);
        if rests {
            self.rest(InterruptKind::Handoff, None, None);
        }
        rests
    }

    /// Starts a handoff from any node; a resume returns to this node.
    pub(crate) fn hand_over(&mut self, reason: &str) {
        if !self.all_sends_settled() {
            return;
        }
        let waiting = self.state.interrupt.take().and_then(|interrupt| interrupt.call);
        self.state.calls.splice(0..0, waiting);
        self.skip_calls("a person has taken over");
        self.take_outside();
        self.take_inbox();
        // The person sees failed sends in the inbox.
        self.state.failed_sends.clear();
        self.state.return_to = Some(self.state.node.clone());
        self.state.handoff_reason = Some(reason.to_owned());
        self.rest(InterruptKind::Handoff, None, None);
    }

    pub(crate) fn over_budget(&mut self) {
        match self.agent.limits.over_budget {
            OverBudget::Fail => self.fail("budget_exceeded", "the execution has used up its tokens"),
            OverBudget::Handoff => self.hand_over("budget_exceeded"),
        }
    }

    /// During a handoff messages are recorded and the agent is silent. `true`: resumed.
    pub(crate) fn leave_handoff(&mut self) -> bool {
        let heard = !self.state.inbox.is_empty() || !self.state.outside.is_empty();
        self.take_outside();
        self.take_inbox();
        let Some(resume) = self.state.resume.take() else {
            if heard {
                let expires_at = self.set_timer(InterruptKind::Handoff);
                if let Some(interrupt) = &mut self.state.interrupt {
                    interrupt.expires_at = Some(expires_at);
                }
            }
            return false;
        };
        if let Some(interrupt) = self.state.interrupt.take() {
            self.event("interrupt.resolved", json!({"id": interrupt.id}));
        }
        self.effect(Effect::ClearTimer);
        self.begin_turn("resume");
        let message = resume.message.unwrap_or(ExecutionInput::Payload { value: json!({"resumed": true}) });
        match message {
            ExecutionInput::Payload { value } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {HANDED_BACK}\n{value}") });
            }
            ExecutionInput::UserInput { text } => {
                self.append("system", ChatMessage::User { content: format!("[system data] {HANDED_BACK}") });
                self.hear(Waiting::Said { id: resume.id, text });
            }
        }
        self.go_back();
        true
    }

    /// Returns to the node that the handoff came from. A handoff straight from `__start__`
    /// continues along its own edge; without one the execution ends.
    fn go_back(&mut self) {
        // Nothing that silenced the agent outlives the handoff.
        self.state.handoff_reason = None;
        self.state.wanted = None;
        let visited = self.state.node.clone();
        match self.state.return_to.take() {
            Some(node) => {
                let origin = self.state.triggering_node.take().filter(|_| node == visited);
                self.enter(&node, origin, "handoff");
            }
            None => match first_edge(self.agent, &visited) {
                Some(node) if node != END => self.enter(&node, None, "handoff"),
                _ => self.end("handoff_done"),
            },
        }
    }
}

fn first_edge(agent: &Compiled, node: &str) -> Option<String> {
    agent.node(node)?.targets.iter().find(|target| !target.global).map(|target| target.node.clone())
}
