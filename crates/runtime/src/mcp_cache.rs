//! Tool lists of MCP servers, cached for five minutes (docs/spec/engine.md 4.3).
//!
//! The key holds project, address and headers with their secrets, so that no project sees another
//! one's list.

use crate::byte_cache::ByteCache;
use domain::{
    ids::ProjectId,
    json::memory_of,
    limits::MCP_CACHE,
    tool_request::{ToolAnswer, ToolRequest},
};
use sha2::{Digest as _, Sha256};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const MAX_AGE: Duration = Duration::from_secs(300);

pub(crate) struct McpCache(Mutex<Lists>);

/// Lists with their age, by key.
type Lists = ByteCache<[u8; 32], (ToolAnswer, Duration)>;

impl Default for McpCache {
    fn default() -> Self {
        Self(Mutex::new(ByteCache::new(MCP_CACHE)))
    }
}

impl McpCache {
    /// `now` is the node's monotonic clock.
    pub(crate) fn get(&self, project: ProjectId, request: &ToolRequest, now: Duration) -> Option<ToolAnswer> {
        let mut lists = self.lists();
        let (answer, at) = lists.get(&key(project, request))?;
        (now.saturating_sub(*at) < MAX_AGE).then(|| answer.clone())
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, project: ProjectId, request: &ToolRequest, answer: &ToolAnswer, now: Duration) {
        let ToolAnswer::Answered { content, .. } = answer else { return };
        self.lists().put(key(project, request), (answer.clone(), now), memory_of(content));
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(project: ProjectId, request: &ToolRequest) -> [u8; 32] {
    Sha256::digest(format!("{project}{:?}{:?}{:?}", request.url, request.mcp, request.headers)).into()
}
