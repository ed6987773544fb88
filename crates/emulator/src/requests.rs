//! Log of received Graph calls and their answers, for assertions.

use serde::Serialize;
use serde_json::Value;

/// Capacity. Older entries are dropped, so that a long `dev` session does not grow without bound.
const CAPACITY: usize = 20_000;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoggedRequest {
    pub(crate) id: u64,
    /// Unix milliseconds of the emulator's clock.
    pub(crate) at: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Masked: the first four characters only.
    pub(crate) token: Option<String>,
    /// Decoded if it was JSON, text otherwise.
    pub(crate) body: Value,
    /// `None` until the call is answered; stays `None` if the connection was cut.
    pub(crate) status: Option<u16>,
    pub(crate) error_code: Option<u32>,
    /// A fault cut the connection.
    pub(crate) cut: bool,
    /// The call exists at Meta but not in the emulator.
    pub(crate) unimplemented: bool,
    /// Id of the fault rule that applied.
    pub(crate) fault: Option<String>,
}

#[derive(Default)]
pub(crate) struct Requests {
    entries: std::collections::VecDeque<LoggedRequest>,
}

impl Requests {
    pub(crate) fn add(&mut self, entry: LoggedRequest) {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn update(&mut self, id: u64, change: impl FnOnce(&mut LoggedRequest)) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.id == id) {
            change(entry);
        }
    }

    /// Entries after `id`, optionally of paths that contain `path`.
    pub(crate) fn since(&self, id: u64, path: Option<&str>) -> Vec<LoggedRequest> {
        let wanted = |entry: &&LoggedRequest| entry.id > id && path.is_none_or(|path| entry.path.contains(path));
        self.entries.iter().filter(wanted).cloned().collect()
    }
}

/// Shortens a token; the rest is enough to distinguish two.
pub(crate) fn mask(token: &str) -> String {
    let start: String = token.chars().take(4).collect();
    format!("{start}…")
}
