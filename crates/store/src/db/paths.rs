//! Files that SQLite keeps beside a database.

use std::path::{Path, PathBuf};

/// Path with this ending: `-wal`, `-shm` or `-journal`.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Log, its index, and the journal of a database that is copied.
pub fn side_files(database: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|ending| beside(database, ending))
}
