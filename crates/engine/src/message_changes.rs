//! Messages that the contact changed or deleted (docs/inbound-messages.md).

use crate::{
    state::{Pending, QueuedInput},
    step_builder::StepBuilder,
};
use serde_json::json;

impl StepBuilder<'_> {
    /// Gives a message that the model has not read its new text. For one that it has read, queues a
    /// note, which starts a turn as a message does.
    pub(crate) fn change_message(&mut self, id: &str, message: &str, text: &str, note: &str) {
        let queued = self.state.inputs.queued.iter_mut().find_map(|input| match input {
            QueuedInput::Message { id, text, .. } if id == message => Some(text),
            _ => None,
        });
        let Some(queued) = queued else {
            return self.queue_input(QueuedInput::Message { id: id.to_owned(), text: note.to_owned(), picture: None });
        };
        text.clone_into(queued);
        self.note_contents(text);
        self.event("input.edited", json!({"id": message}));
    }

    /// Withdraws a message that the model has not read. For one that it has read, in `entries`,
    /// forgets its text and tells the model with the next input: a deletion starts no turn.
    pub(crate) fn delete_message(&mut self, messages: &[String], entries: &[i64]) {
        let queued = self.state.inputs.queued.len();
        self.state
            .inputs
            .queued
            .retain(|input| !matches!(input, QueuedInput::Message { id, .. } if messages.contains(id)));
        if self.state.inputs.queued.len() < queued {
            self.event("input.withdrawn", json!({"ids": messages}));
        }
        if entries.is_empty() {
            return;
        }
        self.event("message.deleted", json!({"ids": messages}));
        self.state.inputs.deleted += 1;
        // It may be the deleted text, or hold it.
        self.state.last_input = None;
        if let Some(summary) = &mut self.state.history.summary
            && entries.iter().any(|entry| *entry <= summary.to)
        {
            summary.text.clear();
        }
        let summarises = self
            .state
            .phase
            .pending()
            .is_some_and(|pending| matches!(pending, Pending::Model { call, .. } if call.summarises));
        if summarises {
            self.drop_pending();
        }
    }
}
