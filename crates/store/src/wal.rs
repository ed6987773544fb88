//! Folds SQLite's write-ahead log into the file, beside the transactions.
//!
//! Left to itself, SQLite does this in whichever commit makes the log too long: a thousand pages at as many places, while
//! everybody waits. Here a connection of its own copies them and nobody waits; then the writer is held for the few pages
//! that came in meanwhile, and the log begins anew. A process that dies in the middle loses nothing: the log is read when
//! the file is opened again.
//!
//! Pages at a thousand places are a long flush, during which the commits' own wait: a tenth of a second on some disks. So they are copied in
//! bites, each as large as the disk takes in a few milliseconds, and flushed by us: SQLite flushes the file only when all of the log is in
//! it, which is while the writer is held.

use rusqlite::{Connection, OpenFlags};
use std::{
    cell::Cell,
    collections::BTreeMap,
    ffi::c_int,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

/// A log of this many pages (16 MiB) begins anew. A page that is written often is copied once for all of its versions in a bite.
const PAGES: c_int = 4_096;
/// The smallest bite.
const BITE: c_int = 256;
/// How long the flush of a bite may take.
const FLUSH: Duration = Duration::from_millis(5);

/// What is left for the moment in which nobody writes: a millisecond or two.
const LITTLE: i64 = 128;
/// A disk that does not keep up is not waited for.
const PASSES: usize = 8;

thread_local! {
    /// How many pages the log had after the last commit on this thread.
    static LOGGED: Cell<c_int> = const { Cell::new(0) };
}

/// What is to be done about the log after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// [`bite`].
    Bite,
    /// [`fold_apart`], and [`fold`] while nobody writes.
    Whole,
}

/// Tells when the log of a connection has grown long.
pub(crate) struct Gauge {
    last: c_int,
    bitten: c_int,
    due_at: c_int,
    bite: Arc<AtomicI32>,
}

impl Gauge {
    /// From now on the connection does not fold the log by itself. `bite` is how many pages are copied at once.
    pub(crate) fn on(conn: &Connection, bite: Arc<AtomicI32>) -> Self {
        conn.wal_hook(Some(|_, pages| {
            LOGGED.set(pages);
            Ok(())
        }));
        Self { last: 0, bitten: 0, due_at: PAGES, bite }
    }

    /// What is due. To be asked after each COMMIT, on its thread.
    pub(crate) fn due(&mut self) -> Due {
        let pages = LOGGED.take();
        if pages < self.last {
            (self.bitten, self.due_at) = (0, PAGES);
        }
        self.last = pages;
        if pages >= self.due_at {
            // A reader may keep the log from beginning anew: it is not tried again with each commit.
            (self.bitten, self.due_at) = (pages, pages + PAGES);
            Due::Whole
        } else if pages - self.bitten >= self.bite.load(Ordering::Relaxed) {
            self.bitten = pages;
            Due::Bite
        } else {
            Due::Nothing
        }
    }
}

/// The bite of a disk that nothing is known of.
pub(crate) fn first_bite() -> Arc<AtomicI32> {
    Arc::new(AtomicI32::new(PAGES))
}

/// Copies the log into the file as far as readers let it, and waits for nobody. How many of its pages are in the file now; what
/// fails is done next time.
pub(crate) fn fold(conn: &Connection) -> i64 {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2)).unwrap_or(-1)
}

/// [`fold`] with a connection of its own, and flushed. The next bite is as large as this disk takes in [`FLUSH`].
pub(crate) fn bite(path: &Path, bite: &AtomicI32) {
    let Some(conn) = open(path) else { return };
    fold(&conn);
    let began = Instant::now();
    // What fails here is flushed by SQLite in the end.
    if flush(path).is_err() {
        return;
    }
    let pages = bite.load(Ordering::Relaxed);
    let fits = f64::from(pages) * FLUSH.as_secs_f64() / began.elapsed().as_secs_f64().max(1e-6);
    // Half of the way there: one flush says little.
    bite.store(((pages + fits.min(f64::from(PAGES)) as c_int) / 2).clamp(BITE, PAGES), Ordering::Relaxed);
}

/// [`fold`] with a connection of its own, until little is left: what came in during one pass is the work of the next, so each is
/// shorter than the one before.
pub(crate) fn fold_apart(path: &Path) {
    let Some(conn) = open(path) else { return };
    let mut before = 0;
    for _ in 0..PASSES {
        let folded = fold(&conn);
        let _ = flush(path);
        if folded - before < LITTLE {
            return;
        }
        before = folded;
    }
}

fn open(path: &Path) -> Option<Connection> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, access).ok()
}

/// Files that have been flushed, by path. They are never closed: the system would take the locks away that SQLite has on the file, which are
/// the whole process's, and a command that runs beside the server would take itself for the only user.
static FLUSHED: Mutex<BTreeMap<PathBuf, Arc<File>>> = Mutex::new(BTreeMap::new());

/// Brings what was copied to the disk.
fn flush(path: &Path) -> io::Result<()> {
    let mut files = FLUSHED.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match files.get(path) {
        Some(file) => file.clone(),
        None => {
            let file = Arc::new(File::options().read(true).write(true).open(path)?);
            files.insert(path.to_owned(), file.clone());
            file
        }
    };
    drop(files);
    file.sync_data()
}
