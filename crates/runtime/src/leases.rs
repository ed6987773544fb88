//! Registers of the work that this node holds under a lease.
//!
//! Only work in progress is renewed. Work that failed, panicked or was cancelled leaves its
//! register, its lease expires, and another worker reclaims it.

use domain::{Id, ids::ProjectId};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// Work younger than this has most of its lease left.
const YOUNG: Duration = Duration::from_secs(3);

/// The leases of one kind that this node holds, with the monotonic time of their claim.
#[derive(Default)]
pub(crate) struct Leases(Mutex<BTreeMap<Key, Duration>>);

/// The row and the epoch that claimed it.
type Key = (ProjectId, Uuid, i64);

/// Leaves the register when dropped.
pub(crate) struct LeaseGuard<'a> {
    leases: &'a Leases,
    key: Key,
}

impl Leases {
    pub(crate) fn enter<T>(&self, (project, id, epoch): (ProjectId, Id<T>, i64), now: Duration) -> LeaseGuard<'_> {
        let key = (project, id.uuid(), epoch);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, now);
        LeaseGuard { leases: self, key }
    }

    /// In the same order on every node, so that two renewals cannot deadlock.
    pub(crate) fn to_renew(&self, now: Duration) -> Vec<Key> {
        let leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leases.iter().filter(|(_, since)| now.saturating_sub(**since) > YOUNG).map(|(key, _)| *key).collect()
    }
}

impl Drop for LeaseGuard<'_> {
    fn drop(&mut self) {
        self.leases.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
