//! Connections to the model providers of projects, kept for a minute, and the forms of requests
//! that their servers asked for. Keys are not kept: each call opens its own.
//!
//! An entry counts for one state of the provider's row, so a change is noticed on every node.

use domain::{Timestamp, ids::ModelProviderId};
use gateways::llm::ProjectConnection;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The name is resolved and its addresses are checked again after this time.
const MAX_AGE: Duration = Duration::from_secs(60);
/// Each may hold an idle connection.
const MOST: usize = 256;

#[derive(Default)]
pub(crate) struct ProviderCache(Mutex<HashMap<ModelProviderId, Kept>>);

struct Kept {
    updated_at: Timestamp,
    /// None: the address must be checked again.
    at: Option<Duration>,
    connection: ProjectConnection,
}

/// A connection of an earlier call.
pub(crate) enum Earlier {
    None,
    /// The address must be checked again.
    Old(ProjectConnection),
    Fresh(ProjectConnection),
}

impl ProviderCache {
    /// The connection for this state of the provider. `now` is the node's monotonic clock.
    pub(crate) fn get(&self, id: ModelProviderId, updated_at: Timestamp, now: Duration) -> Earlier {
        match self.all().get(&id).filter(|kept| kept.updated_at == updated_at) {
            None => Earlier::None,
            Some(kept) if kept.at.is_some_and(|at| now.saturating_sub(at) < MAX_AGE) => {
                Earlier::Fresh(kept.connection.clone())
            }
            Some(kept) => Earlier::Old(kept.connection.clone()),
        }
    }

    pub(crate) fn put(
        &self,
        id: ModelProviderId,
        updated_at: Timestamp,
        connection: &ProjectConnection,
        now: Duration,
    ) {
        let mut all = self.all();
        if all.len() >= MOST && !all.contains_key(&id) {
            all.clear();
        }
        all.insert(id, Kept { updated_at, at: Some(now), connection: connection.clone() });
    }

    /// Resolves the name again for the next call: the server may have moved.
    pub(crate) fn expire(&self, id: ModelProviderId) {
        if let Some(kept) = self.all().get_mut(&id) {
            kept.at = None;
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ModelProviderId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;

    #[test]
    fn connection_counts_for_one_state_and_is_checked_again_after_a_minute() {
        let (cache, connection) = (ProviderCache::default(), ProjectConnection::none());
        let (id, saved) = (Id::from_uuid(uuid::Uuid::from_u128(1)), Timestamp::from_micros(5));
        let at = Duration::from_secs;
        cache.put(id, saved, &connection, at(10));
        assert!(matches!(cache.get(id, saved, at(69)), Earlier::Fresh(_)));
        assert!(matches!(cache.get(id, saved, at(70)), Earlier::Old(_)));
        assert!(matches!(cache.get(id, Timestamp::from_micros(6), at(11)), Earlier::None));
        cache.expire(id);
        assert!(matches!(cache.get(id, saved, at(11)), Earlier::Old(_)));
    }

    #[test]
    fn cache_is_bounded() {
        let (cache, connection) = (ProviderCache::default(), ProjectConnection::none());
        for number in 0..=MOST as u128 {
            let id = Id::from_uuid(uuid::Uuid::from_u128(number));
            cache.put(id, Timestamp::from_micros(0), &connection, Duration::ZERO);
        }
        assert_eq!(cache.all().len(), 1);
    }
}
