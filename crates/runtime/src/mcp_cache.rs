//! Tool lists of MCP servers, cached for five minutes (docs/spec/engine.md 4.3).
//!
//! The key holds project, address and headers with their secrets, so that no project sees another
//! one's list.

use domain::{
    ids::ProjectId,
    tool_request::{ToolAnswer, ToolRequest},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const MAX_AGE: Duration = Duration::from_secs(300);
/// Of all lists together.
const MAX_BYTES: usize = 16 << 20;

#[derive(Default)]
pub(crate) struct McpCache(Mutex<Lists>);

type Key = [u8; 32];

#[derive(Default)]
struct Lists {
    entries: HashMap<Key, Entry>,
    bytes: usize,
}

struct Entry {
    answer: ToolAnswer,
    bytes: usize,
    at: Duration,
}

impl McpCache {
    /// `now` is the node's monotonic clock.
    pub(crate) fn get(&self, project: ProjectId, request: &ToolRequest, now: Duration) -> Option<ToolAnswer> {
        let lists = self.lists();
        let entry = lists.entries.get(&key(project, request))?;
        (now.saturating_sub(entry.at) < MAX_AGE).then(|| entry.answer.clone())
    }

    /// Keeps an answer. If there is no room, all older ones are dropped.
    pub(crate) fn put(&self, project: ProjectId, request: &ToolRequest, answer: &ToolAnswer, now: Duration) {
        let ToolAnswer::Answered { content, .. } = answer else { return };
        let bytes = content.to_string().len();
        let mut lists = self.lists();
        lists.entries.retain(|_, entry| now.saturating_sub(entry.at) < MAX_AGE);
        lists.bytes = lists.entries.values().map(|entry| entry.bytes).sum();
        if lists.bytes + bytes > MAX_BYTES {
            *lists = Lists::default();
        }
        lists.bytes += bytes;
        lists.entries.insert(key(project, request), Entry { answer: answer.clone(), bytes, at: now });
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(project: ProjectId, request: &ToolRequest) -> Key {
    Sha256::digest(format!("{project}{:?}{:?}{:?}", request.url, request.mcp, request.headers)).into()
}
