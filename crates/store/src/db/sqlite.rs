//! Synchronous SQLite on the calling task.
//!
//! A statement takes a few microseconds in the page cache; a trip to another thread and back would
//! cost more (docs/decisions/0006-synchronous-sqlite-on-the-calling-task.md). COMMIT waits for the
//! disk and runs on the blocking pool (`writer.rs`).

use crate::db::{error::Error, paths::beside, row::FromRow};
use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql, config::DbConfig, functions::FunctionFlags};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const READERS: usize = 4;
/// A read waits this long for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// A statement blocks this long for another process that writes; then `transact!` tries again.
pub(crate) const BUSY: Duration = Duration::from_millis(500);
/// Prepared statements per connection: more than there are.
const STATEMENTS: usize = 512;

/// The lease clock, `db_now()` in statements: the system clock unless a simulation sets it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeaseClock(Arc<AtomicI64>);

impl LeaseClock {
    fn micros(&self) -> i64 {
        match self.0.load(Ordering::Relaxed) {
            0 => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            }
            set => set,
        }
    }

    #[cfg(feature = "failpoints")]
    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::Relaxed);
    }
}

/// Opens a connection. A writable one creates a missing file.
pub(crate) fn open(path: &Path, clock: &LeaseClock, read_only: bool) -> rusqlite::Result<Connection> {
    let access = match read_only {
        true => OpenFlags::SQLITE_OPEN_READ_ONLY,
        false => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    if !read_only {
        keep_private(path);
    }
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this, SQLite plans a statement again for each new value of a range.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if !read_only {
        // The log of a killed server stays until a server takes it over: without it, a start would
        // report that commits are lost.
        let log_in_use = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log_in_use)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        // An acknowledged message survives a power failure (docs/spec/reliability.md 2).
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        // KiB: pages of some thousand conversations, so that a turn seldom reads a page again.
        conn.pragma_update(None, "cache_size", -16_384)?;
    }
    let clock = clock.clone();
    conn.create_scalar_function("db_now", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(clock.micros()))?;
    Ok(conn)
}

/// The database holds customers' messages: only its owner reads it, whatever the folder allows.
/// SQLite gives the files beside it the same mode. A failure is left to the opening that follows.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let _ = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let Ok(mode) = std::fs::metadata(&file).map(|file| file.permissions().mode()) else { continue };
        if mode & 0o077 != 0 {
            let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode & 0o700));
        }
    }
}

#[cfg(not(unix))]
fn keep_private(_: &Path) {}

/// Connections for reading, opened on first use.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Pool>);

struct Pool {
    path: Box<Path>,
    clock: LeaseClock,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: &Path, clock: LeaseClock) -> Self {
        let permits = Arc::new(Semaphore::new(READERS));
        Self(Arc::new(Pool { path: path.into(), clock, permits, idle: Mutex::default() }))
    }

    pub(crate) async fn acquire(&self) -> Result<PooledReader, Error> {
        let permit = tokio::time::timeout(PATIENCE, self.0.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Error::NoConnection)?;
        let permit = permit.map_err(|_| Error::Unavailable("the database is closed".into()))?;
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => open(&self.0.path, &self.0.clock, true)?,
        };
        Ok(PooledReader { conn: Some(conn), pool: self.0.clone(), _permit: permit })
    }

    #[cfg(feature = "failpoints")]
    pub(crate) fn clock(&self) -> &LeaseClock {
        &self.0.clock
    }

    pub(crate) fn close(&self) {
        self.0.permits.close();
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection for reading, returned to the pool when dropped.
pub struct PooledReader {
    conn: Option<Connection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl PooledReader {
    pub(crate) fn conn(&mut self) -> &mut Connection {
        match &mut self.conn {
            Some(conn) => conn,
            None => unreachable!("only `drop` takes it out"),
        }
    }
}

impl Drop for PooledReader {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && !self.pool.permits.is_closed()
        {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

/// Values of a statement: the first is `$1`.
pub(crate) type Values<'v> = [&'v dyn ToSql];

/// Returns the number of changed rows.
pub(crate) fn execute(conn: &Connection, sql: &str, values: &Values<'_>) -> rusqlite::Result<u64> {
    prepare(conn, sql, values)?.raw_execute().map(|rows| rows as u64)
}

/// An error if there is no row.
pub(crate) fn fetch_one<R: FromRow>(conn: &Connection, sql: &str, values: &Values<'_>) -> rusqlite::Result<R> {
    fetch_optional(conn, sql, values)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// The first row. Runs a statement that changes rows to its end.
pub(crate) fn fetch_optional<R: FromRow>(
    conn: &Connection,
    sql: &str,
    values: &Values<'_>,
) -> rusqlite::Result<Option<R>> {
    let mut statement = prepare(conn, sql, values)?;
    let mut rows = statement.raw_query();
    let first = rows.next()?.map(R::of_sqlite).transpose()?;
    while rows.next()?.is_some() {}
    Ok(first)
}

pub(crate) fn fetch_all<R: FromRow>(conn: &Connection, sql: &str, values: &Values<'_>) -> rusqlite::Result<Vec<R>> {
    let mut statement = prepare(conn, sql, values)?;
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(R::of_sqlite(row)?);
    }
    Ok(all)
}

/// SQLite treats `$2` as a name and numbers it by its first occurrence; this binds the second value
/// to it.
fn prepare<'c>(conn: &'c Connection, sql: &str, values: &Values<'_>) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = conn.prepare_cached(sql)?;
    for at in 1..=statement.parameter_count() {
        let number = statement.parameter_name(at).and_then(|name| name[1..].parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.wrapping_sub(1)));
        let value = value.ok_or(rusqlite::Error::InvalidParameterCount(values.len(), at))?;
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(statement)
}

/// Applies migrations, each in a transaction, and records them as sqlx does for PostgreSQL.
pub(crate) fn migrate(
    conn: &mut Connection,
    migrations: &sqlx::migrate::Migrator,
    last: Option<i64>,
) -> Result<(), Error> {
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version INTEGER NOT NULL PRIMARY KEY, description TEXT NOT NULL, \
         checksum BLOB NOT NULL) STRICT",
    )?;
    let applied: Vec<(i64, Vec<u8>)> =
        fetch_all(conn, "SELECT version, checksum FROM _sqlx_migrations ORDER BY version", &[])?;
    for (version, checksum) in &applied {
        match migrations.iter().find(|known| known.version == *version) {
            None => return Err(Error::Unavailable(format!("version {version} was created by a newer Chasqui"))),
            Some(known) if *known.checksum != **checksum => {
                return Err(Error::Unavailable(format!(
                    "version {version} differs from the one that created this database"
                )));
            }
            Some(_) => {}
        }
    }
    let wanted = migrations.iter().filter(|known| last.is_none_or(|last| known.version <= last));
    for migration in wanted.filter(|known| applied.iter().all(|(version, _)| *version != known.version)) {
        let tx = conn.transaction()?;
        tx.execute_batch(migration.sql.as_str())?;
        tx.execute(
            "INSERT INTO _sqlx_migrations (version, description, checksum) VALUES (?1, ?2, ?3)",
            rusqlite::params![migration.version, migration.description, &*migration.checksum],
        )?;
        tx.commit()?;
    }
    Ok(())
}
