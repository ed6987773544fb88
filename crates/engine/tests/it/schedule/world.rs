//! A small model of mailbox, outbox, timers and one worker. Committed data survives a crash, the worker's memory does
//! not. The engine is the real one.

use super::stored::{Execution, Mail, Row};
use crate::{
    agents,
    chance::Chance,
    play::{call, calls, go, metadata, note, text, text_and, wait},
    world::{World, assert_replays, one_tool, opening_hours, unreachable_server},
};
use domain::{
    Span, Timestamp,
    chat::{ChatMessage, ModelFailure, ModelFailureKind, ModelResponse},
    execution::{ExecutionInput, ExecutionStatus, HistoryOrigin},
    message::Content,
    tool_request::ToolAnswer,
};
use engine::{CallModel, Compiled, Effect, Entry, Input, Pending, Retrieval, SendOutcome, State, advance};
use serde_json::json;
use std::{collections::HashSet, mem, sync::Arc};

pub struct ScheduledWorld {
    pub chance: Chance,
    agent: Arc<Compiled>,
    now: Timestamp,
    /// Durable.
    pub executions: Vec<Execution>,
    mailbox: Vec<Mail>,
    seen: HashSet<String>,
    outbox: Vec<Row>,
    /// Messages on the phone, by effect: WhatsApp delivers each once.
    pub phone: Vec<(String, String)>,
    /// Texts of the contact that were accepted, in order.
    pub messages: Vec<String>,
    /// Executions for which a stop was requested before they were over.
    pub stopped: HashSet<usize>,
    /// The worker's effect, lost in a crash; `true` if it was requested before a crash.
    todo: Option<(Effect, bool)>,
    /// The effect being performed was requested before a crash.
    again: bool,
    pub log: Vec<String>,
    count: usize,
}

/// One event of a schedule.
#[derive(Debug, Clone, Copy)]
pub enum ScheduledEvent {
    Message,
    Redelivery,
    PersonMessage,
    Takeover,
    Resume,
    Stop,
    TimePasses,
    Work,
    Send,
    Crash,
}

pub const OFTEN: [(usize, ScheduledEvent); 10] = [
    (8, ScheduledEvent::Message),
    (2, ScheduledEvent::Redelivery),
    (3, ScheduledEvent::PersonMessage),
    (1, ScheduledEvent::Takeover),
    (4, ScheduledEvent::Resume),
    (1, ScheduledEvent::Stop),
    (3, ScheduledEvent::TimePasses),
    (30, ScheduledEvent::Work),
    (14, ScheduledEvent::Send),
    (4, ScheduledEvent::Crash),
];

impl ScheduledWorld {
    pub fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            agent: agents::one(agents::PLAIN).compiled.clone(),
            now: Timestamp::from_secs(1_748_873_109),
            executions: Vec::new(),
            mailbox: Vec::new(),
            seen: HashSet::new(),
            outbox: Vec::new(),
            phone: Vec::new(),
            messages: Vec::new(),
            stopped: HashSet::new(),
            todo: None,
            again: false,
            log: Vec::new(),
            count: 0,
        }
    }

    pub fn current(&self) -> Option<State> {
        self.executions.last().map(Execution::state)
    }

    pub fn apply(&mut self, event: ScheduledEvent) {
        self.log.push(format!("{event:?}, {:?}", self.current().map(|state| state.status())));
        match event {
            ScheduledEvent::Message => self.message(),
            ScheduledEvent::Redelivery => self.redelivery(),
            ScheduledEvent::PersonMessage => self.person_message(),
            ScheduledEvent::Takeover => self.takeover(),
            ScheduledEvent::Resume => self.resume(),
            ScheduledEvent::Stop => self.stop(),
            ScheduledEvent::TimePasses => {
                let seconds = *self.chance.pick(&[1, 9, 60, 200, 400, 90_000]);
                self.time_passes(Span::from_secs(seconds));
            }
            ScheduledEvent::Work => {
                self.work();
            }
            ScheduledEvent::Send => {
                self.deliver_next();
            }
            ScheduledEvent::Crash => self.todo = None,
        }
    }

    // ---- actions of people

    fn key(&mut self) -> String {
        self.count += 1;
        format!("m{}", self.count)
    }

    fn message(&mut self) {
        let id = self.key();
        let text = format!("said {id}");
        self.messages.push(text.clone());
        self.deliver(id.clone(), Mail { execution: None, input: Input::Message { id, text, picture: None } });
    }

    /// Stores a delivery before its webhook is acknowledged; a repeated one changes nothing.
    fn deliver(&mut self, key: String, mail: Mail) {
        if self.seen.insert(key) {
            self.mailbox.push(mail);
        }
    }

    fn redelivery(&mut self) {
        if let Some(text) = self.messages.last().cloned() {
            let id = text.trim_start_matches("said ").to_owned();
            self.deliver(id.clone(), Mail { execution: None, input: Input::Message { id, text, picture: None } });
        }
    }

    /// A person writes during a handoff.
    fn person_message(&mut self) {
        if self.current().is_some_and(|state| state.status() == ExecutionStatus::Handoff) {
            let id = self.key();
            let input = Input::ExternalMessage { id: id.clone(), text: format!("human {id}") };
            self.deliver(id, Mail { execution: Some(self.executions.len() - 1), input });
        }
    }

    /// A person takes over in any status that allows it.
    fn takeover(&mut self) {
        let live = |state: State| !state.status().is_over() && state.status().may_be_set(ExecutionStatus::Handoff);
        if self.current().is_some_and(live) {
            let id = self.key();
            let input = Input::SetStatus { id: id.clone(), status: ExecutionStatus::Handoff, reason: "mine".into() };
            self.deliver(id, Mail { execution: Some(self.executions.len() - 1), input });
        }
    }

    fn resume(&mut self) {
        let Some(state) = self.current() else { return };
        let retryable = state.phase.error().is_some_and(|error| error.retryable);
        if state.phase.interrupt().is_some() || (state.status() == ExecutionStatus::Failed && retryable) {
            let id = self.key();
            let message =
                if self.chance.one_in(2) { None } else { Some(ExecutionInput::Payload { value: json!({"by": id}) }) };
            let input = Input::Resume { id: id.clone(), message, interrupt: None };
            self.deliver(id, Mail { execution: Some(self.executions.len() - 1), input });
        }
    }

    fn stop(&mut self) {
        if self.current().is_some_and(|state| !state.status().is_over()) {
            let id = self.key();
            let execution = self.executions.len() - 1;
            self.stopped.insert(execution);
            self.deliver(
                id.clone(),
                Mail { execution: Some(execution), input: Input::Stop { id, reason: "by hand".into() } },
            );
        }
    }

    pub fn time_passes(&mut self, span: Span) {
        self.now = self.now + span;
        for (execution, row) in self.executions.iter_mut().enumerate() {
            if let Some((generation, _)) = row.timer.take_if(|(_, fire_at)| *fire_at <= self.now) {
                self.mailbox.push(Mail { execution: Some(execution), input: Input::Timer { generation } });
            }
        }
    }

    // ---- the outbox: in order, one at a time; a crash between request and settlement repeats the request

    /// Sends the oldest outbox entry. `false`: all are settled.
    pub fn deliver_next(&mut self) -> bool {
        let Some(place) = self.outbox.iter().position(|row| !row.settled) else { return false };
        let failed = self.chance.one_in(25);
        let row = &mut self.outbox[place];
        if !failed && !self.phone.iter().any(|(id, _)| *id == row.id) {
            let status = self.executions[row.execution].state().status();
            assert_ne!(status, ExecutionStatus::Handoff, "the agent sends during a handoff");
            self.phone.push((row.id.clone(), row.text.clone()));
        }
        if self.chance.one_in(10) {
            return true;
        }
        row.settled = true;
        let outcome = match failed {
            true => SendOutcome::Failed { code: "send_failed".into(), message: "refused".into() },
            false if self.chance.one_in(10) => SendOutcome::Unconfirmed { message_id: row.id.clone() },
            false => SendOutcome::Accepted { message_id: row.id.clone() },
        };
        let input = Input::Sent { effect: row.id.clone(), outcome };
        self.mailbox.push(Mail { execution: Some(row.execution), input });
        true
    }

    // ---- the worker

    /// Does one thing that is due. `false`: nothing was.
    pub fn work(&mut self) -> bool {
        if let Some((effect, again)) = self.todo.clone() {
            self.again = again;
            let outcome = self.outcome(&effect);
            // A crash between the outcome and its commit.
            if self.chance.one_in(12) {
                self.todo = None;
                return true;
            }
            self.commit(vec![outcome]);
            return true;
        }
        let waits = self.current().is_some_and(|state| match state.phase.pending() {
            Some(Pending::Model { not_before, .. }) => not_before.is_none_or(|time| time <= self.now),
            Some(Pending::Tool { .. } | Pending::Retrieval { .. } | Pending::ToolList { .. }) => true,
            _ => false,
        });
        if waits || !self.mailbox.is_empty() {
            self.commit(Vec::new());
            return true;
        }
        false
    }

    pub fn due_later(&self) -> Option<Timestamp> {
        self.current().and_then(|state| state.due_at())
    }

    /// Commits outcomes, mail and the results of their step, or nothing.
    fn commit(&mut self, outcomes: Vec<Input>) {
        let killed = self.chance.one_in(15);
        let mail = self.mailbox.clone();
        let newest = self.executions.len().checked_sub(1);
        let mut inputs = outcomes;
        let mut messages = Vec::new();
        let mut late: Vec<(usize, Input)> = Vec::new();
        for mail in mail {
            match (mail.execution, newest) {
                (None, _) => messages.push(mail.input),
                (execution, newest) if execution == newest => inputs.push(mail.input),
                (Some(execution), _) => late.push((execution, mail.input)),
            }
        }
        if killed {
            self.todo = None;
            return;
        }
        self.mailbox.clear();
        // An execution that is over takes outcomes of its sends and may be resumed; a message of
        // the contact then starts a new one.
        for (execution, input) in late {
            if matches!(input, Input::Sent { .. }) {
                self.step(execution, vec![input]);
            }
        }
        let over = self.current().is_none_or(|state| state.status().is_over());
        let resumed = inputs.iter().any(|input| matches!(input, Input::Resume { .. }));
        match newest {
            Some(newest) if !over || resumed => {
                inputs.extend(messages);
                self.step(newest, inputs);
            }
            _ => {
                if let Some(newest) = newest {
                    inputs.retain(|input| matches!(input, Input::Sent { .. }));
                    if !inputs.is_empty() {
                        self.step(newest, inputs);
                    }
                }
                if !messages.is_empty() {
                    self.executions.push(Execution::new(self.executions.len()));
                    self.step(self.executions.len() - 1, messages);
                }
            }
        }
    }

    fn step(&mut self, execution: usize, inputs: Vec<Input>) {
        let mut state = self.executions[execution].state();
        let before = state.phase.pending().cloned();
        let step = advance(&self.agent, &mut state, self.now, &inputs);
        let row = &mut self.executions[execution];
        row.history.extend(step.history);
        row.events.extend(step.events);
        row.journal.push((self.now, inputs));
        row.state = serde_json::to_string(&state).unwrap();
        for effect in step.effects {
            match effect {
                Effect::SetTimer { generation, fire_at, .. } => row.timer = Some((generation, fire_at)),
                Effect::ClearTimer => row.timer = None,
                Effect::Send { id, content } => {
                    self.outbox.push(Row { execution, id, text: content.in_words(), settled: false });
                }
                Effect::CallModel(_)
                | Effect::CallTool { .. }
                | Effect::Retrieve { .. }
                | Effect::ListTools { .. }
                | Effect::CancelModel { .. } => {}
            }
        }
        if execution + 1 < self.executions.len() {
            return;
        }
        let pending = state.phase.pending().cloned();
        let again = before == pending;
        self.todo = match pending {
            Some(Pending::Model { call, not_before, .. }) if not_before.is_none_or(|time| time <= self.now) => {
                Some((Effect::CallModel(call), again))
            }
            Some(Pending::Tool { effect, request, secrets, .. }) => {
                Some((Effect::CallTool { id: effect, request, secrets }, again))
            }
            Some(Pending::Retrieval { effect, base, queries, .. }) => {
                Some((Effect::Retrieve { id: effect, node: state.visit.node, base, queries }, again))
            }
            Some(Pending::ToolList { effect, servers }) => Some((Effect::ListTools { id: effect, servers }, again)),
            _ => None,
        };
    }

    /// An answer of a model that sends, waits, moves and sometimes hands off.
    fn answer(&mut self) -> ModelResponse {
        let word = format!("agent {}", self.key());
        let node = self.current().map(|state| state.visit.node).unwrap_or_default();
        let person = go(&format!("use_p__at__{node}"));
        let request = || call("one_request", json!({"id": "1", "n": 1}));
        match (self.chance.below(16), node.as_str()) {
            (0, "a" | "s") => calls([person]),
            (1, "a" | "s") => calls([note(&word), person]),
            (2, "a") => calls([go("s")]),
            (2, "s") => calls([request(), go("a")]),
            (3, "a") => calls([go("k")]),
            (3, "k") => calls([go("h")]),
            (3, "s") => calls([go("w")]),
            (4, "a" | "w") => text_and(&word, [go("end")]),
            (5, _) => calls([note(&word), wait()]),
            (6, _) => text_and(&word, [metadata()]),
            (7, _) => calls([wait(), note(&word)]),
            (8, "s") => calls([request()]),
            (9, "s") => calls([call("kb_retrieval", json!({"queries": ["opening"], "knowledge_base_key": "faq"}))]),
            (10, "s") => calls([call("count", json!({}))]),
            _ => text(&word),
        }
    }

    // ---- results

    /// Works until nothing is due.
    pub fn settle(&mut self) {
        for _ in 0..2_000 {
            if self.work() || self.deliver_next() {
                continue;
            }
            match self.due_later() {
                Some(due) => self.now = self.now.max(due),
                None => return,
            }
        }
        panic!("work never ends: {:#?}", self.current());
    }

    pub fn sent(&self) -> Vec<&str> {
        self.outbox
            .iter()
            .filter(|row| self.phone.iter().any(|(id, _)| *id == row.id))
            .map(|row| row.text.as_str())
            .collect()
    }

    /// Replays each execution from its journal.
    pub fn replay(&self) {
        for execution in &self.executions {
            let expected = (&execution.state(), execution.events.as_slice());
            assert_replays(&self.agent, execution.began_as.clone(), &execution.journal, expected);
        }
    }

    /// Messages of the contact in the histories of all executions.
    pub fn stored_messages(&self) -> Vec<String> {
        let lines = |entry: &Entry| match (&entry.message, entry.origin) {
            (ChatMessage::User { content, .. }, HistoryOrigin::Contact) => content.lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        self.executions.iter().flat_map(|execution| execution.history.iter().flat_map(lines)).collect()
    }

    pub fn take_log(&mut self) -> String {
        mem::take(&mut self.log).join("\n")
    }
}

impl World for ScheduledWorld {
    fn model(&mut self, _: &CallModel) -> Result<ModelResponse, ModelFailure> {
        if !self.chance.one_in(20) {
            return Ok(self.answer());
        }
        let kind = if self.chance.one_in(4) { ModelFailureKind::Permanent } else { ModelFailureKind::Temporary };
        Err(ModelFailure { kind, message: "no".into(), retry_after_ms: None, ..ModelFailure::default() })
    }

    /// Repeats no request that left before a crash.
    fn webhook(&mut self) -> ToolAnswer {
        if self.again {
            return ToolAnswer::Failed { code: "outcome_unknown".into(), message: "unknown".into() };
        }
        ToolAnswer::Answered { status: 200, content: json!({"ok": true}), truncated: false }
    }

    fn search(&mut self) -> Retrieval {
        opening_hours()
    }

    fn tools_of(&mut self, _: &str) -> ToolAnswer {
        if self.chance.one_in(4) { unreachable_server() } else { one_tool() }
    }

    fn send(&mut self, _: &Content) -> SendOutcome {
        unreachable!("sends are rows of the outbox")
    }
}
