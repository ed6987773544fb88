//! Lock of an SQLite file: one server, or one restore, at a time.

use runtime::data_dir;
use std::{
    fs::{File, OpenOptions},
    path::Path,
};

/// Setting in a database whose server has not stopped. It is in the file itself, not only in the
/// write-ahead log, so a start that finds it without a log knows that commits are missing.
pub(crate) const RUNNING: &str = "running";

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another Chasqui uses the database {0}; stop it, or choose another with --data-dir or --database")]
    Locked(String),
    #[error("data folder {0}: {1}")]
    DataDir(String, std::io::Error),
}

/// Locks the database file against other servers. The lock is next to the file, wherever the data
/// folder is.
pub(crate) fn take(database: &Path) -> Result<File, LockError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| LockError::DataDir(folder.display().to_string(), error);
    data_dir::create(folder).map_err(failed)?;
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(LockError::Locked(database.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}
