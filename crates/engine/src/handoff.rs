//! People taking over and handing back, and what the API wants an execution to be (engine.md 2.9).

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
    /// Does what the API wants at the first point where it can be done. `true`: the loop looks again.
    ///
    /// A model that is being asked is not waited for; a request or a send that has left is.
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

    /// A pause waits until no call is open: what is said during it would stand between a call and its result.
    fn pause(&mut self) -> bool {
        if self.state.status != ExecutionStatus::Running {
            self.state.wanted = None;
            return true;
        }
        // A person who is about to take over comes first.
        let taken_over = self.agent.is_handoff(&self.state.node);
        if !self.state.calls.is_empty() || self.state.entering || taken_over {
            return false;
        }
        self.take_outside();
        self.take_inbox();
        self.rest(InterruptKind::Manual, None, None);
        self.state.pending.is_none()
    }

    /// Rests if the visit is one of a HandoffNode, in which no model is asked.
    pub(crate) fn rests_for_person(&mut self) -> bool {
        let rests = self.agent.is_handoff(&self.state.node);
        if rests {
            self.rest(InterruptKind::Handoff, None, None);
        }
        rests
    }

    /// A person takes over, wherever the agent stands; a resume goes back to this node.
    pub(crate) fn hand_over(&mut self, reason: &str) {
        if !self.all_sends_settled() {
            return;
        }
        let waiting = self.state.interrupt.take().and_then(|interrupt| interrupt.call);
        self.state.calls.splice(0..0, waiting);
        self.skip_calls("a person has taken over");
        self.take_outside();
        self.take_inbox();
        // The person who takes over sees what was refused.
        self.state.failed_sends.clear();
        self.state.return_to = Some(self.state.node.clone());
        self.state.handoff_reason = Some(reason.to_owned());
        self.rest(InterruptKind::Handoff, None, None);
    }

    /// The budget is used up.
    pub(crate) fn over_budget(&mut self) {
        match self.agent.limits.over_budget {
            OverBudget::Fail => self.fail("budget_exceeded", "the execution has used up its tokens"),
            OverBudget::Handoff => self.hand_over("budget_exceeded"),
        }
    }

    /// While a person has the conversation, what is said is recorded and the agent is silent.
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

    /// Goes back to the node that the handoff came from. One that nothing came before, straight from `__start__`, goes on along its own edge; where
    /// there is none, the person has finished what there was to do.
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
