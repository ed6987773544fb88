//! What can go wrong in the database, sorted by what the caller can do about it.

/// A failed statement or transaction.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A unique or foreign key refused the change; the name is the constraint's where the engine tells it.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The engine asks to run the transaction again: serialization failure, deadlock, busy.
    #[error("the database is busy: {0}")]
    Retry(String),
    /// The row was written by somebody with a newer epoch: this worker lost its lease and must drop its turn.
    #[error("stale epoch: another worker has taken over")]
    StaleEpoch,
    /// A stored value cannot be read: damage, or a newer version wrote it.
    #[error("stored {what} cannot be read: {why}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// What the reader said.
        why: String,
    },
    /// Everything else: connection lost, disk full, misuse.
    #[error("database: {0}")]
    Unavailable(String),
}

impl Error {
    /// Whether running the same transaction again may help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Unavailable(error.to_string()) };
        match database.code().as_deref() {
            // Serialization failure and deadlock.
            Some("40001" | "40P01") => Self::Retry(database.message().to_owned()),
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
        let rusqlite::Error::SqliteFailure(code, message) = &error else { return Self::Unavailable(error.to_string()) };
        let message = message.clone().unwrap_or_else(|| error.to_string());
        match (code.code, code.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Retry(message),
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
