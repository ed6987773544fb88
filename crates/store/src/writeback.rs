//! Has the pages of a fold written to the disk little by little.
//!
//! SQLite leaves the pages of a fold to the kernel, and flushes them when the last one is copied: thousands at as many places, at
//! once, while nobody may write. A commit that flushes meanwhile waits behind them, ten times as long as otherwise. Asked for in
//! steps with pauses between, they cost each commit a fraction of a millisecond, and the flush at the end finds little to do.
//!
//! Everything here is a hint: what fails or is out of date costs time, never a page.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Places that are asked for at once: less than what a disk does in a millisecond.
const STEP: usize = 32;
/// Pages side by side that are asked for as one place: a disk needs little longer for them than for one.
const LONGEST_ROW: usize = 4;

/// Places and lengths in bytes, from <https://sqlite.org/fileformat2.html#walformat>.
const PAGE_SIZE_AT: u64 = 8;
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The database files that are open here. None is ever closed: that would take away the locks that SQLite holds on the same file
/// in this process (<https://sqlite.org/howtocorrupt.html>, 2.2).
static FILES: Mutex<BTreeMap<PathBuf, &'static File>> = Mutex::new(BTreeMap::new());

/// Pages of a database file.
pub(crate) struct Pages {
    file: &'static File,
    size: u64,
    /// Where pages stand side by side, in order, none twice. The first page of a file is 1.
    rows: Vec<Range<u32>>,
}

impl Pages {
    /// Those that these frames of the log of the database at `path` are versions of.
    pub(crate) fn of(path: &Path, frames: Range<u64>) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let mut log = File::open(log)?;
        let mut number_at = |offset| {
            let mut bytes = [0; 4];
            log.seek(SeekFrom::Start(offset))?;
            log.read_exact(&mut bytes)?;
            Ok(u32::from_be_bytes(bytes))
        };
        let size = number_at(PAGE_SIZE_AT)?.into();
        let numbers = frames.map(|frame| number_at(LOG_HEADER + frame * (FRAME_HEADER + size)));
        let mut numbers: Vec<u32> = numbers.collect::<io::Result<_>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self { file: opened(path)?, size, rows: rows(&numbers) })
    }

    /// How many times [`Self::begin_writing`] is to be called.
    pub(crate) fn steps(&self) -> usize {
        self.rows.len().div_ceil(STEP)
    }

    /// Has the kernel begin with the pages of one step.
    pub(crate) fn begin_writing(&self, step: usize) {
        for row in self.rows.chunks(STEP).nth(step).unwrap_or_default() {
            let before = u64::from(row.start).saturating_sub(1);
            sys::begin_writing(self.file, before * self.size, row.len() as u64 * self.size);
        }
    }
}

/// Sorted numbers as rows.
fn rows(numbers: &[u32]) -> Vec<Range<u32>> {
    let side_by_side = numbers.chunk_by(|page, next| page.wrapping_add(1) == *next);
    side_by_side
        .flat_map(|row| row.chunks(LONGEST_ROW))
        .map(|row| row[0]..row[0].saturating_add(row.len() as u32))
        .collect()
}

fn opened(path: &Path) -> io::Result<&'static File> {
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = files.get(path) {
        return Ok(file);
    }
    let file: &'static File = Box::leak(Box::new(File::open(path)?));
    files.insert(path.to_owned(), file);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use std::fs;

    #[test]
    fn the_pages_are_those_that_the_fold_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
        let fold = || conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, u32>(2)).unwrap();
        let fill = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT; \
                    WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 9000) \
                    INSERT INTO t SELECT a, hex(randomblob(100)) FROM n;";
        conn.execute_batch(fill).unwrap();
        fold();
        let before = fs::read(&path).unwrap();
        for nth in [97, 970] {
            let change = format!("BEGIN; UPDATE t SET b = hex(randomblob(100)) WHERE a % {nth} = 0; COMMIT");
            conn.execute_batch(&change).unwrap();
        }
        let folded = fold();
        let after = fs::read(&path).unwrap();
        let pages = Pages::of(&path, 0..folded.into()).unwrap();
        let size = usize::try_from(pages.size).unwrap();
        let changed =
            before.chunks(size).zip(after.chunks(size)).zip(1..).filter(|((before, after), _)| before != after);
        let changed: Vec<u32> = changed.map(|(_, number)| number).collect();
        assert!(changed.len() > 2 * STEP, "{changed:?}");
        assert_eq!(pages.rows.into_iter().flatten().collect::<Vec<_>>(), changed);
    }
}
