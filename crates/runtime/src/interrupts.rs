//! Reaches a turn that waits for a model: a stop, or another status that the API sets, does not wait for the answer.
//!
//! Only this node's turns are reached; another node takes the input from the mailbox at its next step. Whoever takes a conversation up
//! enters before its transaction begins, so that what comes after that transaction has looked into the mailbox is not missed.

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
    rung: Arc<Notify>,
    inside: usize,
}

/// One of them; leaves when dropped.
pub(crate) struct Inside<'a> {
    all: &'a Interrupts,
    id: ConversationId,
}

impl Interrupts {
    fn all(&self) -> MutexGuard<'_, HashMap<ConversationId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, id: ConversationId) -> Inside<'_> {
        self.all().entry(id).or_insert_with(|| Entry { rung: Arc::default(), inside: 0 }).inside += 1;
        Inside { all: self, id }
    }

    /// There is something in the conversation's mailbox that must not wait. Call it after the commit.
    pub fn ring(&self, id: ConversationId) {
        if let Some(entry) = self.all().get(&id) {
            entry.rung.notify_one();
        }
    }

    /// Ends when somebody has rung for the conversation since it was entered.
    pub(crate) async fn rung(&self, id: ConversationId) {
        let rung = self.all().get(&id).map(|entry| entry.rung.clone());
        match rung {
            Some(rung) => rung.notified().await,
            None => future::pending().await,
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut all = self.all.all();
        if let Some(entry) = all.get_mut(&self.id) {
            entry.inside -= 1;
            if entry.inside == 0 {
                all.remove(&self.id);
            }
        }
    }
}
