//! Checkpoints SQLite's write-ahead log outside the commit path.
//!
//! By default SQLite checkpoints in the commit that made the log too long, while all other writers
//! wait. Here a second connection copies the pages while others write. The writer is held only for
//! the last few, so that the log can restart.

use rusqlite::{Connection, OpenFlags};
use std::{cell::Cell, ffi::c_int, path::Path};

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

/// Copies pages into the database file as far as readers allow, without waiting. A failure is left
/// to the next checkpoint.
pub(crate) fn checkpoint(conn: &Connection) {
    let _ = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

/// Checkpoints on a connection of its own. The second pass copies what was written during the
/// first, which takes the longest.
pub(crate) fn checkpoint_while_others_write(path: &Path) {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(conn) = Connection::open_with_flags(path, access) else { return };
    checkpoint(&conn);
    checkpoint(&conn);
}
