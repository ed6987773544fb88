//! What people and systems say to the agent, or to the contact in our name, and how it gets into history.

use crate::{
    state::{Resume, Waiting},
    turn::Turn,
};
use domain::{chat::ChatMessage, execution::ExecutionInput};
use serde_json::{Value, json};

impl Turn<'_> {
    pub(crate) fn take_message(&mut self, resume: Resume) {
        match resume.message {
            Some(ExecutionInput::UserInput { text }) => {
                self.state.inbox.push(Waiting::Said { id: "resume".into(), text });
            }
            Some(ExecutionInput::Payload { value }) => {
                self.state.inbox.push(Waiting::Data { id: "resume".into(), value });
            }
            None => {}
        }
    }

    /// The texts that wait, joined as one input.
    pub(crate) fn inbox_text(&self) -> Option<String> {
        let text_of = |waiting: &Waiting| match waiting {
            Waiting::Said { text, .. } => Some(unmarked(text)),
            Waiting::Data { .. } => None,
        };
        let texts: Vec<String> = self.state.inbox.iter().filter_map(text_of).collect();
        let joined = texts.join("\n");
        // No provider takes a message without content.
        let blank = joined.trim().is_empty();
        (!texts.is_empty()).then_some(if blank { "(empty message)".into() } else { joined })
    }

    /// The first data that waits: as the result of a call it is said once, so it leaves the inbox.
    pub(crate) fn take_data(&mut self) -> Value {
        let place = self.state.inbox.iter().position(|waiting| matches!(waiting, Waiting::Data { .. }));
        match place.map(|place| self.state.inbox.remove(place)) {
            Some(Waiting::Data { value, .. }) => value,
            _ => json!({"resumed": true}),
        }
    }

    pub(crate) fn take_outside(&mut self) {
        for text in std::mem::take(&mut self.state.outside) {
            self.append("person", ChatMessage::Assistant { content: Some(text), tool_calls: Vec::new() });
            self.event("external.injected", Value::Null);
        }
    }

    /// Moves what waits into history: data as data, texts joined in the order in which they came.
    pub(crate) fn take_inbox(&mut self) {
        let text = self.inbox_text();
        let waiting = std::mem::take(&mut self.state.inbox);
        if waiting.is_empty() {
            return;
        }
        // There is something new to answer: earlier silence does not count any more.
        self.state.turn.empty = 0;
        let ids: Vec<&String> =
            waiting.iter().map(|(Waiting::Said { id, .. } | Waiting::Data { id, .. })| id).collect();
        self.event("input.injected", json!({"ids": ids}));
        for item in &waiting {
            if let Waiting::Data { value, .. } = item {
                let seq = self.append("system", ChatMessage::User { content: format!("[system data]\n{value}") });
                self.state.first_input.get_or_insert(seq);
            }
        }
        if let Some(text) = text {
            self.state.last_input = Some(text.clone());
            let seq = self.append("contact", ChatMessage::User { content: text });
            self.state.first_input.get_or_insert(seq);
        }
    }
}

/// The engine marks what it tells the model with `[system …]`; a person who writes such a mark must not be taken for it.
fn unmarked(text: &str) -> String {
    if text.to_ascii_lowercase().contains("[system") { text.replace('[', "(") } else { text.to_owned() }
}
