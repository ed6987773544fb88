//! Which Graph calls were received, for assertions: what a client really sent, and what it got.

use serde::Serialize;
use serde_json::Value;

/// Older entries are dropped; a long `dev` session must not grow without end.
const KEPT: usize = 20_000;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoggedRequest {
    pub(crate) id: u64,
    /// Unix milliseconds of the emulator's clock.
    pub(crate) at: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The first letters only.
    pub(crate) token: Option<String>,
    /// Decoded when it was JSON, text otherwise.
    pub(crate) body: Value,
    /// `None` until it is answered, and for ever when the connection was cut.
    pub(crate) status: Option<u16>,
    pub(crate) error_code: Option<u32>,
    /// The connection was cut by a fault.
    pub(crate) cut: bool,
    /// The call exists at Meta and not here.
    pub(crate) unimplemented: bool,
    /// The fault rule that took part.
    pub(crate) fault: Option<String>,
}

#[derive(Default)]
pub(crate) struct Requests {
    entries: std::collections::VecDeque<LoggedRequest>,
}

impl Requests {
    pub(crate) fn add(&mut self, entry: LoggedRequest) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn update(&mut self, id: u64, change: impl FnOnce(&mut LoggedRequest)) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.id == id) {
            change(entry);
        }
    }

    /// Entries with a larger id, optionally of paths that contain `path`.
    pub(crate) fn since(&self, id: u64, path: Option<&str>) -> Vec<LoggedRequest> {
        let wanted = |entry: &&LoggedRequest| entry.id > id && path.is_none_or(|path| entry.path.contains(path));
        self.entries.iter().filter(wanted).cloned().collect()
    }
}

/// Enough of a token to tell two apart.
pub(crate) fn mask(token: &str) -> String {
    let start: String = token.chars().take(4).collect();
    format!("{start}…")
}
