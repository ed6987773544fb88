//! Folds SQLite's write-ahead log into the file, beside the transactions.
//!
//! Left to itself, SQLite does this in whichever commit makes the log too long: a thousand pages at as many places, while
//! everybody waits. Here a connection of its own copies them, the disk gets them little by little, and nobody waits; then the
//! writer is held for the few pages that came in meanwhile, and the log begins anew. A process that dies in the middle loses
//! nothing: the log is read when the file is opened again.

use rusqlite::{Connection, OpenFlags};
use std::{cell::Cell, ffi::c_int, ops::Range, path::Path};

/// A log of this many pages (16 MiB) is folded. A page that is written often is copied once for all of its versions in it.
const PAGES: c_int = 4_096;

/// What is left for the moment in which nobody writes: a millisecond or two.
const LITTLE: i64 = 128;

thread_local! {
    /// How many pages the log had after the last commit on this thread.
    static LOGGED: Cell<c_int> = const { Cell::new(0) };
}

/// Tells when the log of a connection has grown long.
pub(crate) struct Gauge {
    last: c_int,
    due_at: c_int,
}

impl Gauge {
    /// From now on the connection does not fold the log by itself.
    pub(crate) fn on(conn: &Connection) -> Self {
        conn.wal_hook(Some(|_, pages| {
            LOGGED.set(pages);
            Ok(())
        }));
        Self { last: 0, due_at: PAGES }
    }

    /// Whether the log is to be folded. To be asked after each COMMIT, on its thread.
    pub(crate) fn is_due(&mut self) -> bool {
        let pages = LOGGED.take();
        if pages < self.last {
            self.due_at = PAGES;
        }
        self.last = pages;
        let due = pages >= self.due_at;
        if due {
            // A reader may keep the log from beginning anew: it is not tried again with each commit.
            self.due_at = pages + PAGES;
        }
        due
    }
}

/// Copies the log into the file as far as readers let it, and waits for nobody. How many of its pages are in the file now; what
/// fails is done next time.
pub(crate) fn fold(conn: &Connection) -> i64 {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2)).unwrap_or(-1)
}

/// [`fold`] with a connection of its own.
pub(crate) fn fold_apart(path: &Path) -> i64 {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, access).map_or(-1, |conn| fold(&conn))
}

/// The passes of one fold: what came in during one is the work of the next.
#[derive(Clone, Copy)]
pub(crate) struct Passes {
    folded: i64,
    most: i64,
}

impl Passes {
    pub(crate) const fn new() -> Self {
        Self { folded: 0, most: i64::MAX }
    }

    /// The frames of the pass after which so many are in the file, or `None` if it was the last: little was left, or more than half
    /// of the pass before, so that the disk does not keep up. If that were waited for, the log might never begin anew.
    pub(crate) fn next(&mut self, folded: i64) -> Option<Range<u64>> {
        let new = folded - self.folded;
        if !(LITTLE..=self.most).contains(&new) {
            return None;
        }
        let frames = self.folded.unsigned_abs()..folded.unsigned_abs();
        (self.folded, self.most) = (folded, new / 2);
        Some(frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn passes(folded: [i64; 3]) -> [Option<Range<u64>>; 3] {
        let mut passes = Passes::new();
        folded.map(|folded| passes.next(folded))
    }

    #[test]
    fn passes_go_on_while_each_is_at_most_half_of_the_one_before() {
        assert_eq!(passes([4_000, 6_000, 7_000]), [Some(0..4_000), Some(4_000..6_000), Some(6_000..7_000)]);
        assert_eq!(passes([4_000, 6_001, 6_001])[1..], [None, None], "the disk does not keep up");
        assert_eq!(passes([4_000, 5_000, 5_127])[2], None, "little is left");
        assert_eq!(passes([127, 127, 127])[0], None, "little was there");
        assert_eq!(passes([-1, 4_000, 200])[0], None, "it failed");
        assert_eq!(passes([4_000, 200, 200])[1], None, "somebody else let the log begin anew");
    }
}
