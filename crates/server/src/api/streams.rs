//! Limits open event streams, because each polls the database (docs/spec/reliability.md 11).

use crate::ApiError;
use axum::http::{HeaderMap, header::ACCEPT};
use domain::ids::ProjectId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// Maximum streams of one key or session.
const PER_PRINCIPAL: usize = 5;
/// Maximum streams of this node.
const PER_NODE: usize = 1_000;

/// True if the client asks for a stream instead of a list.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    text(headers, ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Place after which a client continues.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    text(headers, "last-event-id").map(str::trim).filter(|id| !id.is_empty())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The open streams of a node, by project and principal: a key or a session.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    /// Maximum of one project; 0 for none.
    per_project: usize,
    open: Arc<Mutex<HashMap<(ProjectId, Uuid), usize>>>,
}

/// An open stream; dropping it releases its place.
#[derive(Debug)]
pub(crate) struct Open {
    streams: Streams,
    key: (ProjectId, Uuid),
}

impl Streams {
    pub(crate) fn new(per_project: usize) -> Self {
        Self { per_project, open: Arc::default() }
    }

    /// Opens a stream. Fails with [`ApiError::TooManyStreams`] if the key or session has five, the
    /// project its maximum, or the node a thousand.
    pub(crate) fn open(&self, project: ProjectId, principal: Uuid) -> Result<Open, ApiError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut of_project, mut of_principal, mut all) = (0, 0, 0);
        for ((in_project, by), count) in open.iter() {
            of_project += if *in_project == project { *count } else { 0 };
            of_principal += if *by == principal { *count } else { 0 };
            all += count;
        }
        let project_is_full = self.per_project > 0 && of_project >= self.per_project;
        if project_is_full || of_principal >= PER_PRINCIPAL || all >= PER_NODE {
            return Err(ApiError::TooManyStreams);
        }
        let key = (project, principal);
        *open.entry(key).or_default() += 1;
        Ok(Open { streams: self.clone(), key })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
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

    #[test]
    fn key_may_open_five_streams_project_its_maximum_and_node_a_thousand() {
        let streams = Streams::new(7);
        let open_one = |project, key| streams.open(Id::from_uuid(Uuid::from_u128(project)), Uuid::from_u128(key));
        let is_refused = |project, key| matches!(open_one(project, key), Err(ApiError::TooManyStreams));
        let mut open: Vec<_> = (0..PER_PRINCIPAL).map(|_| open_one(1, 1).unwrap()).collect();
        assert!(is_refused(1, 1) && is_refused(2, 1), "a person's projects count together");
        open.pop();
        open.push(open_one(1, 1).unwrap());
        open.extend((2..4).map(|key| open_one(1, key).unwrap()));
        assert!(is_refused(1, 9), "the project has seven");
        open.extend((7..1_000).map(|number| open_one(number, number).unwrap()));
        assert!(is_refused(5_000, 5_000));
        open.clear();
        assert!(streams.open.lock().unwrap().is_empty(), "nothing is kept of keys without streams");
    }
}
