//! Interrupts a turn that waits for a model: a stop, or another status that the API sets, does not
//! wait for the answer.
//!
//! Only turns of this node are reached; another node takes the input from the mailbox at its next
//! step. A worker enters before its transaction begins, so that an input that is stored after the
//! transaction has read the mailbox is not missed.

use domain::ids::ConversationId;
use std::{
    collections::HashMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The conversations that this node works on.
#[derive(Default)]
pub struct Interrupts(Mutex<HashMap<ConversationId, Entry>>);

struct Entry {
    signal: Arc<Notify>,
    guards: usize,
}

/// Leaves the conversation when dropped.
pub(crate) struct InterruptGuard<'a> {
    all: &'a Interrupts,
    id: ConversationId,
}

impl Interrupts {
    fn all(&self) -> MutexGuard<'_, HashMap<ConversationId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, id: ConversationId) -> InterruptGuard<'_> {
        self.all().entry(id).or_insert_with(|| Entry { signal: Arc::default(), guards: 0 }).guards += 1;
        InterruptGuard { all: self, id }
    }

    /// Makes the conversation's turn read its mailbox now. Call it after the commit.
    pub fn signal(&self, id: ConversationId) {
        if let Some(entry) = self.all().get(&id) {
            entry.signal.notify_one();
        }
    }

    /// Completes once the conversation was signalled after it was entered.
    pub(crate) async fn signalled(&self, id: ConversationId) {
        let signal = self.all().get(&id).map(|entry| entry.signal.clone());
        match signal {
            Some(signal) => signal.notified().await,
            None => future::pending().await,
        }
    }
}

impl Drop for InterruptGuard<'_> {
    fn drop(&mut self) {
        let mut all = self.all.all();
        if let Some(entry) = all.get_mut(&self.id) {
            entry.guards -= 1;
            if entry.guards == 0 {
                all.remove(&self.id);
            }
        }
    }
}
