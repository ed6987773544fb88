//! Keeps the leases of turns that take longer than one.
//!
//! Only what is really being worked on is renewed: a turn that failed, panicked or was cancelled leaves the register, its
//! lease runs out, and somebody takes it up again.

use crate::Context;
use domain::ids::{ConversationId, ProjectId};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use store::{conversations, transact};

/// Turns younger than this have most of their lease before them.
const YOUNG: Duration = Duration::from_secs(3);

/// The turns that this node is carrying on.
#[derive(Default)]
pub(crate) struct Register(Mutex<HashMap<Key, Instant>>);

type Key = (ProjectId, ConversationId, i64);

/// A turn under way; leaves the register when dropped.
pub(super) struct UnderWay<'a> {
    register: &'a Register,
    key: Key,
}

impl Register {
    pub(super) fn enter(&self, key: Key) -> UnderWay<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Instant::now());
        UnderWay { register: self, key }
    }

    fn grown(&self) -> Vec<Key> {
        let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.iter().filter(|(_, since)| since.elapsed() > YOUNG).map(|(key, _)| *key).collect()
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.register.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Renews the leases of all turns under way that are not young.
pub(super) async fn step(ctx: &Context) -> store::Result<()> {
    let turns = ctx.turns.grown();
    if turns.is_empty() {
        return Ok(());
    }
    transact!(ctx.store, "leases.renew", tx => {
        for (project, id, epoch) in &turns {
            conversations::renew(tx, *project, *id, *epoch).await?;
        }
        Ok(())
    })
}
