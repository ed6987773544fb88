//! Checkpoints SQLite's write-ahead log outside the commit path.
//!
//! By default SQLite checkpoints in the commit that made the log too long, while all other writers
//! wait. Here a second connection copies the pages while others write. The writer is held only for
//! the last few, so that the log can restart.

use rusqlite::{Connection, OpenFlags};
use std::{
    cell::Cell,
    ffi::c_int,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// Log size that starts a checkpoint: 16 MiB. A larger log copies a page that changes often fewer
/// times.
const PAGES: c_int = 4_096;

thread_local! {
    /// Log pages after the last commit on this thread; SQLite's hook is a plain function and cannot
    /// hold state.
    static LOG_PAGES: Cell<c_int> = const { Cell::new(0) };
}

/// Decides after each commit whether the log needs a checkpoint.
pub(crate) struct LogSize {
    last: c_int,
    due_at: c_int,
}

impl LogSize {
    /// Replaces SQLite's automatic checkpoints on this connection.
    pub(crate) fn watch(conn: &Connection) -> Self {
        conn.wal_hook(Some(|_, pages| {
            LOG_PAGES.set(pages);
            Ok(())
        }));
        Self { last: 0, due_at: PAGES }
    }

    /// Must be called after each COMMIT, on the thread that committed.
    pub(crate) fn needs_checkpoint(&mut self) -> bool {
        let pages = LOG_PAGES.take();
        if pages < self.last {
            self.due_at = PAGES;
        }
        self.last = pages;
        let due = pages >= self.due_at;
        if due {
            // A long read may keep the log from restarting; do not try again with every commit.
            self.due_at = pages + PAGES;
        }
        due
    }
}

/// Copies pages into the database file as far as readers allow, without waiting.
pub(crate) fn checkpoint(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Checkpoints on a connection of its own. The second pass copies what was written during the
/// first, which takes the longest.
pub(crate) fn checkpoint_while_others_write(path: &Path) -> rusqlite::Result<()> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, access)?;
    checkpoint(&conn)?;
    checkpoint(&conn)
}

/// Logs when checkpoints begin to fail and when they work again; the next one is tried either way.
#[derive(Default)]
pub(crate) struct CheckpointLog {
    failing: AtomicBool,
}

impl CheckpointLog {
    pub(crate) fn record(&self, result: rusqlite::Result<()>) {
        let changed = self.is_new(result.is_err());
        match result {
            Err(error) if changed => {
                tracing::warn!(%error, "checkpoint failed: the write-ahead log grows until one succeeds");
            }
            Ok(()) if changed => tracing::info!("checkpoints of the write-ahead log succeed again"),
            _ => {}
        }
    }

    fn is_new(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::Relaxed) != failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_checkpoints_are_logged_once() {
        let log = CheckpointLog::default();
        let no_file = Path::new("/no/such/folder/chasqui.db");
        let changes = [true, true, false, false, true].map(|fails| {
            let result = if fails { checkpoint_while_others_write(no_file) } else { Ok(()) };
            log.is_new(result.is_err())
        });
        assert_eq!(changes, [true, false, true, false, true]);
    }
}
