//! Last uses of keys and sessions. Requests note them in memory, and a task writes them every
//! minute: a commit with each request would cost more than the request.

use domain::{
    Timestamp,
    ids::{ApiKeyId, ProjectId, SessionId},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use store::{Store, api_keys, sessions, transact};

/// A key or session that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    Key(ProjectId, ApiKeyId),
    Session(SessionId),
}

/// Last uses that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct LastUses(Mutex<HashMap<Used, Timestamp>>);

impl LastUses {
    pub(crate) fn note(&self, used: Used, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = uses.entry(used).or_insert(now);
        *last = now.max(*last);
    }

    /// Last use that this node has not written yet.
    pub(crate) fn of(&self, used: Used) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&used).copied()
    }

    /// Writes all in one transaction. They are noted again if that fails.
    pub(crate) async fn write(&self, store: &Store) {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if uses.is_empty() {
            return;
        }
        let written = transact!(store, "last_uses", tx => {
            for (used, at) in &uses {
                match used {
                    Used::Key(project, id) => api_keys::used(tx, *project, *id, *at).await?,
                    Used::Session(id) => sessions::used(tx, *id, *at).await?,
                }
            }
            store::Result::Ok(())
        });
        if let Err(error) = written {
            tracing::warn!(%error, "last uses of keys and sessions are written later");
            uses.into_iter().for_each(|(used, at)| self.note(used, at));
        }
    }
}
