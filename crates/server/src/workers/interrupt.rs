//! Reaches a turn that waits for a model: a stop, or another status that the API sets, does not wait for the answer.
//!
//! Only this node's turns are reached; another node takes the input from the mailbox at its next step.

use domain::ids::ConversationId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// The conversations whose turns wait for a model.
#[derive(Default)]
pub(crate) struct Interrupts(Mutex<HashMap<ConversationId, Arc<Notify>>>);

/// One of them; leaves when dropped.
pub(super) struct Waiting<'a> {
    all: &'a Interrupts,
    id: ConversationId,
    rung: Arc<Notify>,
}

impl Interrupts {
    pub(super) fn wait(&self, id: ConversationId) -> Waiting<'_> {
        let rung = Arc::new(Notify::new());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, rung.clone());
        Waiting { all: self, id, rung }
    }

    /// There is something in the conversation's mailbox that must not wait. Call it after the commit.
    pub(crate) fn ring(&self, id: ConversationId) {
        if let Some(rung) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            rung.notify_one();
        }
    }
}

impl Waiting<'_> {
    pub(super) async fn rung(&self) {
        self.rung.notified().await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
