//! Limits open event streams, because each polls the database (docs/spec/reliability.md 11).

use crate::ApiError;
use domain::ids::ApiKeyId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Maximum streams of one key.
const PER_KEY: usize = 5;
/// Maximum streams of this node.
const PER_NODE: usize = 1_000;

/// The open streams of a node, by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<ApiKeyId, usize>>>);

/// An open stream; dropping it releases its place.
#[derive(Debug)]
pub(crate) struct Open {
    streams: Streams,
    key: ApiKeyId,
}

impl Streams {
    /// Opens a stream. Fails with [`ApiError::TooManyStreams`] if the key has five or the node a
    /// thousand.
    pub(crate) fn open(&self, key: ApiKeyId) -> Result<Open, ApiError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&key).is_some_and(|count| *count >= PER_KEY) || open.values().sum::<usize>() >= PER_NODE {
            return Err(ApiError::TooManyStreams);
        }
        *open.entry(key).or_default() += 1;
        Ok(Open { streams: self.clone(), key })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open.get(&self.key).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&self.key);
        } else {
            open.insert(self.key, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;
    use uuid::Uuid;

    #[test]
    fn key_may_open_five_streams_and_node_a_thousand() {
        let streams = Streams::default();
        let key = |number| Id::from_uuid(Uuid::from_u128(number));
        let mut open: Vec<_> = (0..PER_KEY).map(|_| streams.open(key(1)).unwrap()).collect();
        assert!(matches!(streams.open(key(1)), Err(ApiError::TooManyStreams)));
        open.pop();
        open.push(streams.open(key(1)).unwrap());
        open.extend((5..1_000).map(|number| streams.open(key(number)).unwrap()));
        assert!(matches!(streams.open(key(2)), Err(ApiError::TooManyStreams)));
        open.clear();
        assert!(streams.0.lock().unwrap().is_empty(), "nothing is kept of keys without streams");
    }
}
