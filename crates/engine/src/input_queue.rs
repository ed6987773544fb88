//! Inputs of people and systems, and messages that others sent to the contact: queued, then written
//! to the history.
//! Version 2 shows them as messages. Version 1 shows them as results of calls that the engine
//! writes in the model's name; call and result are always stored together (docs/spec/engine.md
//! 2.6).

use crate::{
    answer,
    effect::Part,
    input::EarlierMessage,
    limits,
    state::{Phase, QueuedInput, Resume},
    step_builder::StepBuilder,
    text::{links_of, unmarked},
};
use domain::{
    chat::ChatMessage,
    execution::{ExecutionInput, ExecutionStatus, HistoryOrigin},
    for_agent,
    ids::MessageId,
    message::Direction,
    tool_names::{HANDLE_USER_MESSAGE, SEND_EXTERNAL_MESSAGE},
};
use serde_json::{Map, Value, json};

/// Text of an entry that holds the pictures of a result before it.
pub(crate) const PICTURES: &str = "[pictures of the contact's message]";

impl StepBuilder<'_> {
    /// Queues an input for the next safe point.
    pub(crate) fn queue_input(&mut self, input: QueuedInput) {
        if self.state.status() == ExecutionStatus::Running {
            let (QueuedInput::Message { id, .. } | QueuedInput::Data { id, .. }) = &input;
            self.event("input.queued", json!({"id": id}));
        }
        match &input {
            QueuedInput::Message { text, .. } => {
                self.state.last_message_at = Some(self.at);
                self.note_contents(text);
            }
            QueuedInput::Data { value, .. } => self.note_call_like(|| answer::looks_like_call(&value.to_string())),
        }
        if let QueuedInput::Data { value: Value::Object(fields), .. } = &input
            && self.state.phase == Phase::New
        {
            self.keep_as_variables(fields);
        }
        self.state.inputs.queued.push(input);
    }

    /// Records what a text of the contact makes of the agent's limits: its links, and whether it
    /// looks like a call.
    pub(crate) fn note_contents(&mut self, text: &str) {
        for link in links_of(text) {
            if self.state.links.len() < limits::LINKS && !self.state.links.contains(&link) {
                self.state.links.push(link);
            }
        }
        self.note_call_like(|| answer::looks_like_call(text));
    }

    fn note_call_like(&mut self, is_like_call: impl FnOnce() -> bool) {
        if self.state.facts.rules >= 2 && !self.state.quotes_calls {
            self.state.quotes_calls = is_like_call();
        }
    }

    /// Keeps short fields of the first payload as `{{vars.…}}`. They are part of every stored
    /// state, so long ones are left out.
    fn keep_as_variables(&mut self, fields: &Map<String, Value>) {
        for (name, value) in fields {
            if self.state.vars.len() < limits::VARIABLES && name.len() + value.to_string().len() <= limits::VARIABLE {
                self.state.vars.insert(name.clone(), value.clone());
            }
        }
    }

    /// Queues the message that a resume carries.
    pub(crate) fn queue_resume_message(&mut self, resume: Resume) {
        let id = resume.id;
        match resume.message {
            Some(ExecutionInput::UserInput { text }) => {
                self.queue_input(QueuedInput::Message { id, text, picture: None })
            }
            Some(ExecutionInput::Payload { value }) => self.queue_input(QueuedInput::Data { id, value }),
            None => {}
        }
    }

    /// The queued texts, joined as one input.
    pub(crate) fn queued_text(&self) -> Option<String> {
        let text_of = |input: &QueuedInput| match input {
            QueuedInput::Message { text, .. } => Some(unmarked(text)),
            QueuedInput::Data { .. } => None,
        };
        let texts: Vec<String> = self.state.inputs.queued.iter().filter_map(text_of).collect();
        let joined = texts.join("\n");
        // No provider accepts a message without content.
        let blank = joined.trim().is_empty();
        (!texts.is_empty()).then_some(if blank { "(empty message)".into() } else { joined })
    }

    /// The messages whose texts [`Self::queued_text`] joins.
    pub(crate) fn queued_parts(&self) -> Vec<Part> {
        let part = |input: &QueuedInput| match input {
            QueuedInput::Message { id, text, .. } => Some(Part { id: id.clone(), bytes: unmarked(text).len() }),
            QueuedInput::Data { .. } => None,
        };
        self.state.inputs.queued.iter().filter_map(part).collect()
    }

    /// Takes the first queued data. It is the result of a call now, so it must not appear again.
    pub(crate) fn take_queued_data(&mut self) -> Value {
        let place = self.state.inputs.queued.iter().position(|input| matches!(input, QueuedInput::Data { .. }));
        match place.map(|place| self.state.inputs.queued.remove(place)) {
            Some(QueuedInput::Data { id, value }) => {
                self.event("input.injected", json!({"ids": [id]}));
                value
            }
            _ => json!({"resumed": true}),
        }
    }

    /// Messages of the queue that have a picture, in order.
    fn queued_pictures(&self) -> Vec<MessageId> {
        let picture_of = |input: &QueuedInput| match input {
            QueuedInput::Message { picture, .. } => *picture,
            QueuedInput::Data { .. } => None,
        };
        self.state.inputs.queued.iter().filter_map(picture_of).collect()
    }

    /// Takes the queued texts, which have become a result. Returns their pictures.
    pub(crate) fn take_queued_messages(&mut self) -> Vec<MessageId> {
        let (text, pictures) = (self.queued_text(), self.queued_pictures());
        let (messages, others): (Vec<QueuedInput>, Vec<QueuedInput>) = std::mem::take(&mut self.state.inputs.queued)
            .into_iter()
            .partition(|input| matches!(input, QueuedInput::Message { .. }));
        self.state.inputs.queued = others;
        self.report_injected(&messages);
        self.state.last_input = text.or_else(|| self.state.last_input.take());
        pictures
    }

    fn report_injected(&mut self, inputs: &[QueuedInput]) {
        // New input: earlier silence of the model does not count any more.
        self.state.turn.empty = 0;
        self.state.turn.silent = 0;
        self.state.turn.refused = false;
        self.state.turn.unusable = 0;
        // The contact may want the same once more.
        self.state.turn.last_write = None;
        let ids: Vec<&String> =
            inputs.iter().map(|(QueuedInput::Message { id, .. } | QueuedInput::Data { id, .. })| id).collect();
        self.event("input.injected", json!({"ids": ids}));
    }

    pub(crate) fn append_external_messages(&mut self) {
        for text in std::mem::take(&mut self.state.inputs.external_messages) {
            self.append_external_message(text);
            self.event("external.injected", Value::Null);
        }
    }

    /// Moves the queue into history: each data as an entry, the texts joined in order.
    pub(crate) fn append_queued_inputs(&mut self) {
        self.append_deletions();
        let (text, parts, pictures) = (self.queued_text(), self.queued_parts(), self.queued_pictures());
        let inputs = std::mem::take(&mut self.state.inputs.queued);
        if inputs.is_empty() {
            return;
        }
        self.report_injected(&inputs);
        for input in &inputs {
            if let QueuedInput::Data { value, .. } = input {
                let seq = self.append(HistoryOrigin::System, ChatMessage::user(format!("[system data]\n{value}")));
                self.state.history.first_input.get_or_insert(seq);
            }
        }
        if let Some(text) = text {
            self.state.last_input = Some(text.clone());
            let seq = self.append_message(text, parts, pictures);
            self.state.history.first_input.get_or_insert(seq);
        }
    }

    /// Tells the model about deletions.
    fn append_deletions(&mut self) {
        let count = std::mem::take(&mut self.state.inputs.deleted);
        if count > 0 {
            self.append(HistoryOrigin::Engine, ChatMessage::user(for_agent::deleted(count)));
        }
    }

    /// Writes messages from before the execution; later they would be out of order.
    pub(crate) fn append_earlier_messages(&mut self, messages: &[EarlierMessage]) {
        if self.state.phase != Phase::New || self.state.history.len > 0 {
            return;
        }
        for message in messages.iter().filter(|message| !message.text.trim().is_empty()) {
            match message.direction {
                Direction::Inbound => {
                    self.state.quotes_calls |= self.state.facts.rules >= 2 && answer::looks_like_call(&message.text);
                    let text = unmarked(&message.text);
                    let part = message.id.as_ref().map(|id| Part { id: id.clone(), bytes: text.len() });
                    self.append_message(text, part.into_iter().collect(), message.picture.into_iter().collect());
                }
                Direction::Outbound => self.append_external_message(message.text.clone()),
            }
        }
    }

    /// Appends a message of the contact and returns its position.
    fn append_message(&mut self, text: String, parts: Vec<Part>, pictures: Vec<MessageId>) -> i64 {
        if !self.agent.sends_only_by_tools() {
            let seq = self.append(HistoryOrigin::Contact, ChatMessage::User { content: text, pictures });
            self.name_parts(parts);
            return seq;
        }
        let call = self.synthetic_call(HANDLE_USER_MESSAGE, json!({}));
        self.append(HistoryOrigin::Engine, ChatMessage::assistant(None, vec![call.clone()]));
        let seq = self.append(HistoryOrigin::Contact, ChatMessage::Tool { call_id: call.id, content: text });
        self.name_parts(parts);
        self.append_pictures(pictures);
        seq
    }

    /// Appends the pictures of a text that is a result: results hold texts only.
    pub(crate) fn append_pictures(&mut self, pictures: Vec<MessageId>) {
        if !pictures.is_empty() {
            self.append(HistoryOrigin::Contact, ChatMessage::User { content: PICTURES.to_owned(), pictures });
        }
    }

    /// Appends a message that others sent to the contact.
    fn append_external_message(&mut self, text: String) {
        if !self.agent.sends_only_by_tools() {
            self.append(HistoryOrigin::Person, ChatMessage::assistant(Some(text), Vec::new()));
            return;
        }
        let call = self.synthetic_call(SEND_EXTERNAL_MESSAGE, json!({"message": text}));
        self.append(HistoryOrigin::Person, ChatMessage::assistant(None, vec![call.clone()]));
        self.append(HistoryOrigin::Engine, ChatMessage::Tool { call_id: call.id, content: "Message sent".into() });
    }
}
