//! Handoffs to people, resumes, and statuses set by the API (docs/spec/engine.md 2.9).

use crate::{
    agent::Compiled,
    effect::Effect,
    limits::OverBudget,
    state::{InterruptKind, Pending, Phase, QueuedInput, RequestedStatus},
    step_builder::StepBuilder,
    variable_values,
};
use domain::{
    agent::{
        END, NodeKind, Room,
        variables::{Destination, Sources, fill_within},
    },
    chat::ChatMessage,
    execution::{ExecutionInput, ExecutionStatus, HistoryOrigin},
    limits::PROMPT_BYTES,
    message::Content,
    phone::{self, Phone},
};
use serde_json::json;

const HANDED_BACK: &str = "A person has handed the conversation back to you.";

impl StepBuilder<'_> {
    /// Applies a status set by the API as soon as possible. `true`: the loop looks again.
    /// A model call is cancelled; a request or a send that has left is waited for.
    pub(crate) fn apply_requested_status(&mut self) -> bool {
        let Some(RequestedStatus { status, reason }) = self.state.inputs.requested_status.clone() else { return false };
        match self.state.phase.pending() {
            Some(Pending::Model { .. }) => self.drop_pending(),
            Some(_) => return false,
            None => {}
        }
        match status {
            ExecutionStatus::Ended => self.end(&reason),
            ExecutionStatus::Failed => self.fail("set_by_api", &reason),
            ExecutionStatus::Handoff => self.start_handoff(&reason),
            ExecutionStatus::Paused => return self.pause(),
            _ => self.state.inputs.requested_status = None,
        }
        self.state.phase.pending().is_none() || self.state.phase.is_over()
    }

    /// Pauses once no call is open: messages during the pause would stand between a call and its
    /// result.
    fn pause(&mut self) -> bool {
        if self.state.status() != ExecutionStatus::Running {
            self.state.inputs.requested_status = None;
            return true;
        }
        // A handoff that is about to start comes first.
        let taken_over = self.agent.is_handoff(&self.state.visit.node);
        if !self.state.calls.is_empty() || self.state.visit.entering || taken_over {
            return false;
        }
        self.append_external_messages();
        self.append_queued_inputs();
        self.start_wait(InterruptKind::Manual, None, None);
        self.state.phase.pending().is_none()
    }

    /// Sends the sentence of a HandoffNode just entered, in the language of the contact's metadata,
    /// else of the number's country, if the node has it.
    pub(crate) fn announce_handoff(&mut self) {
        let Some(node) = self.agent.node(&self.state.visit.node).filter(|_| self.state.facts.rules >= 1) else {
            return;
        };
        let NodeKind::Handoff(settings) = &node.node.kind else { return };
        let number = self.state.facts.phone_number.as_deref().and_then(|number| phone::normalise(number).ok());
        let of_country = number.as_ref().map(Phone::language);
        let known = self.state.about().metadata.get("language").and_then(|language| language.as_str());
        let Some(text) = settings.message_in(known.or(of_country)) else { return };
        let context = variable_values::of(self.state, self.at);
        let sources = Sources { context: Some(&context), arguments: None };
        let text = fill_within(text, sources, Destination::Prompt, &mut Room::new(PROMPT_BYTES)).text;
        if !text.trim().is_empty() {
            self.send(Content::Text(text), None);
        }
    }

    /// Waits for a person if this is a HandoffNode.
    pub(crate) fn wait_if_handoff(&mut self) -> bool {
        let is_handoff = self.agent.is_handoff(&self.state.visit.node);
        if is_handoff {
            self.start_wait(InterruptKind::Handoff, None, None);
        }
        is_handoff
    }

    /// Starts a handoff from any node; a resume returns to this node.
    pub(crate) fn start_handoff(&mut self, reason: &str) {
        if !self.all_sends_settled() {
            return;
        }
        let waiting = self.state.phase.interrupt().and_then(|interrupt| interrupt.call.clone());
        self.state.calls.splice(0..0, waiting);
        self.skip_calls("a person has taken over");
        self.append_external_messages();
        self.append_queued_inputs();
        // The person sees failed sends in the inbox.
        self.state.failed_sends.clear();
        self.state.handoff.return_to = Some(self.state.visit.node.clone());
        self.state.handoff.reason = Some(reason.to_owned());
        self.start_wait(InterruptKind::Handoff, None, None);
    }

    pub(crate) fn over_budget(&mut self) {
        match self.agent.limits.over_budget {
            OverBudget::Fail => self.fail("budget_exceeded", "the execution has used up its tokens"),
            OverBudget::Handoff => self.start_handoff("budget_exceeded"),
        }
    }

    /// During a handoff messages are recorded and the agent is silent. `true`: resumed.
    pub(crate) fn leave_handoff(&mut self) -> bool {
        let has_messages = !self.state.inputs.queued.is_empty() || !self.state.inputs.external_messages.is_empty();
        self.append_external_messages();
        self.append_queued_inputs();
        let Some(resume) = self.state.inputs.resume.take() else {
            if has_messages {
                let expires_at = self.set_timer(InterruptKind::Handoff);
                if let Phase::Waiting(interrupt) = &mut self.state.phase {
                    interrupt.expires_at = Some(expires_at);
                }
            }
            return false;
        };
        if let Some(interrupt) = self.state.phase.interrupt() {
            let id = interrupt.id.clone();
            self.event("interrupt.resolved", json!({"id": id}));
        }
        self.effect(Effect::ClearTimer);
        self.begin_turn("resume");
        let message = resume.message.unwrap_or(ExecutionInput::Payload { value: json!({"resumed": true}) });
        match message {
            ExecutionInput::Payload { value } => {
                self.append(HistoryOrigin::System, ChatMessage::user(format!("[system data] {HANDED_BACK}\n{value}")));
            }
            ExecutionInput::UserInput { text } => {
                self.append(HistoryOrigin::System, ChatMessage::user(format!("[system data] {HANDED_BACK}")));
                self.queue_input(QueuedInput::Message { id: resume.id, text, picture: None });
            }
        }
        self.return_from_handoff();
        true
    }

    /// Returns to the node that the handoff came from. A handoff straight from `__start__`
    /// continues along its own edge; without one the execution ends.
    fn return_from_handoff(&mut self) {
        // Nothing that silenced the agent outlives the handoff.
        self.state.handoff.reason = None;
        self.state.inputs.requested_status = None;
        let visited = self.state.visit.node.clone();
        match self.state.handoff.return_to.take() {
            Some(node) => {
                let origin = self.state.visit.triggering_node.take().filter(|_| node == visited);
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
