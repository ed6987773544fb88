//! Database errors, sorted by what the caller can do about them.

pub type Result<T> = std::result::Result<T, Error>;

/// A failed statement or transaction.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A unique or foreign key refused the change; with the constraint's name where the engine
    /// reports it.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The engine asks to run the transaction again: serialization failure, deadlock, busy.
    #[error("the database is busy: {0}")]
    Retry(String),
    /// The row has a newer epoch: this worker lost its lease and must drop its turn.
    #[error("stale epoch: another worker has reclaimed this row")]
    StaleEpoch,
    /// A stored value cannot be read: damage, or a newer version wrote it.
    #[error("stored {what} cannot be read: {why}")]
    Damaged { what: &'static str, why: String },
    /// The disk of the database is full: nothing can be written until there is room.
    #[error("the database's disk is full: {0}")]
    DiskFull(String),
    /// All connections are in use, and none became free in time. Not repeated at once: that would
    /// add to the load.
    #[error("no connection to the database became free")]
    NoConnection,
    /// Everything else: connection lost, misuse.
    #[error("database: {0}")]
    Unavailable(String),
}

impl Error {
    /// True if the same transaction may succeed when run again.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::ColumnDecode { source, .. } = &error {
            return Self::Damaged { what: "column", why: source.to_string() };
        }
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::NoConnection;
        }
        let Some(database) = error.as_database_error() else { return Self::Unavailable(error.to_string()) };
        match database.code().as_deref() {
            // Serialization failure and deadlock.
            Some("40001" | "40P01") => Self::Retry(database.message().to_owned()),
            Some("53100") => Self::DiskFull(database.message().to_owned()),
            _ if database.is_unique_violation()
                || database.is_foreign_key_violation()
                || database.is_check_violation() =>
            {
                Self::Conflict(database.constraint().unwrap_or_else(|| database.message()).to_owned())
            }
            _ => Self::Unavailable(database.message().to_owned()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        if let rusqlite::Error::FromSqlConversionFailure(_, _, why) = &error {
            return Self::Damaged { what: "column", why: why.to_string() };
        }
        let rusqlite::Error::SqliteFailure(code, message) = &error else { return Self::Unavailable(error.to_string()) };
        let message = message.clone().unwrap_or_else(|| error.to_string());
        match (code.code, code.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Retry(message),
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull(message),
            (
                _,
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
                | ffi::SQLITE_CONSTRAINT_CHECK,
            ) => Self::Conflict(message),
            _ => Self::Unavailable(message),
        }
    }
}
