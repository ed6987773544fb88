//! What MCP servers said which tools they have, kept in memory for five minutes (engine.md 4.3): a conversation that comes to the same node
//! need not ask again. By project, address and headers, secrets included, so that nobody sees what another one may. Nothing here is stored;
//! losing it costs a question.

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

/// How long a list holds.
const FRESH: Duration = Duration::from_secs(300);
/// What all of them may take.
const MOST: usize = 16 << 20;

/// The lists that this node has heard.
#[derive(Default)]
pub(crate) struct McpLists(Mutex<Lists>);

type Key = [u8; 32];

#[derive(Default)]
struct Lists {
    heard: HashMap<Key, Heard>,
    bytes: usize,
}

struct Heard {
    answer: ToolAnswer,
    bytes: usize,
    at: Duration,
}

impl McpLists {
    /// What the server said, if that was within five minutes before `now`, by the node's own clock.
    pub(crate) fn get(&self, project: ProjectId, request: &ToolRequest, now: Duration) -> Option<ToolAnswer> {
        let lists = self.lists();
        let heard = lists.heard.get(&key(project, request))?;
        (now.saturating_sub(heard.at) < FRESH).then(|| heard.answer.clone())
    }

    /// Keeps what a server said. Where there is no room, everything older goes.
    pub(crate) fn put(&self, project: ProjectId, request: &ToolRequest, answer: &ToolAnswer, now: Duration) {
        let ToolAnswer::Answered { content, .. } = answer else { return };
        let bytes = content.to_string().len();
        let mut lists = self.lists();
        lists.heard.retain(|_, heard| now.saturating_sub(heard.at) < FRESH);
        lists.bytes = lists.heard.values().map(|heard| heard.bytes).sum();
        if lists.bytes + bytes > MOST {
            *lists = Lists::default();
        }
        lists.bytes += bytes;
        lists.heard.insert(key(project, request), Heard { answer: answer.clone(), bytes, at: now });
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(project: ProjectId, request: &ToolRequest) -> Key {
    Sha256::digest(format!("{project}{:?}{:?}{:?}", request.url, request.mcp, request.headers)).into()
}
