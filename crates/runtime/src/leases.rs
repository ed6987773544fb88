//! Keeps the leases of turns and sends that take longer than one.
//!
//! Only what is really being worked on is renewed: work that failed, panicked or was cancelled leaves its register, its
//! lease runs out, and somebody takes it up again.

use crate::Context;
use domain::{Id, ids::ProjectId};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use store::{conversations, jobs, outbox, transact};
use uuid::Uuid;

/// Work younger than this has most of its lease before it.
const YOUNG: Duration = Duration::from_secs(3);

/// What this node holds of one kind, conversations or outbox rows, and since when by its monotonic clock.
#[derive(Default)]
pub(crate) struct Register(Mutex<BTreeMap<Key, Duration>>);

/// The row and the epoch that holds it.
type Key = (ProjectId, Uuid, i64);

/// Work under way; leaves the register when dropped.
pub(crate) struct UnderWay<'a> {
    register: &'a Register,
    key: Key,
}

impl Register {
    pub(crate) fn enter<T>(&self, (project, id, epoch): (ProjectId, Id<T>, i64), now: Duration) -> UnderWay<'_> {
        let key = (project, id.uuid(), epoch);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, now);
        UnderWay { register: self, key }
    }

    /// In one order on every node, so that two renewals never wait for each other.
    fn grown(&self, now: Duration) -> Vec<Key> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().filter(|(_, since)| now.saturating_sub(**since) > YOUNG).map(|(key, _)| *key).collect()
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.register.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Renews the leases of everything under way that is not young. Sends before turns, as a settled send locks its row before
/// its conversation.
pub(crate) async fn step(ctx: &Context) -> store::Result<()> {
    let now = ctx.clock.monotonic();
    let (sends, turns, held) = (ctx.sends.grown(now), ctx.turns.grown(now), ctx.jobs.grown(now));
    if sends.is_empty() && turns.is_empty() && held.is_empty() {
        return Ok(());
    }
    transact!(ctx.store, "leases.renew", tx => {
        for (project, id, epoch) in &sends {
            outbox::renew(tx, *project, Id::from_uuid(*id), *epoch).await?;
        }
        for (project, id, epoch) in &turns {
            conversations::renew(tx, *project, Id::from_uuid(*id), *epoch).await?;
        }
        for (project, id, epoch) in &held {
            jobs::renew(tx, *project, *id, *epoch).await?;
        }
        Ok(())
    })
}
