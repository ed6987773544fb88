//! Opens a database; provides connections and transactions of either engine.

#[cfg(feature = "failpoints")]
use crate::db::refusals::{self, Refusals};
use crate::{
    counters,
    db::{
        changes::Changes,
        conn::{EngineTx, Reader, Transaction},
        error::Error,
        migrations, point,
        sqlite::{self, LeaseClock, Readers},
        url::DatabaseUrl,
        writer::Writer,
    },
};
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, sync::Arc, time::Duration};

/// A connection that was idle for longer is tested before use.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);

/// A node that freezes inside a transaction would keep its rows locked after its leases have
/// expired. Nothing waits inside a transaction, so an idle one belongs to such a node.
const ABORT_IDLE_TRANSACTIONS: &str = "SET idle_in_transaction_session_timeout = 5000";

/// Gets the name of each committed or retried transaction.
pub type CommitObserver = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The database; clones share connections.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    observer: Option<CommitObserver>,
    retries: Option<CommitObserver>,
    #[cfg(feature = "failpoints")]
    refusals: Option<Refusals>,
}

#[derive(Clone)]
enum Engine {
    Sqlite { writer: Writer, readers: Readers },
    Postgres(PgPool),
}

impl Store {
    /// Opens the database without changing it. Creates a missing SQLite file.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        let engine = match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path)?,
            DatabaseUrl::Postgres(url) => {
                let options = PgConnectOptions::from_str(url)?.application_name("chasqui").disable_statement_logging();
                let pool = PgPoolOptions::new().max_connections(24).acquire_timeout(Duration::from_secs(5));
                // A connection that worked a moment ago needs no test.
                let pool = pool.test_before_acquire(false).before_acquire(|conn, meta| {
                    Box::pin(async move { Ok(meta.idle_for < TEST_AFTER_IDLE || conn.ping().await.is_ok()) })
                });
                // Not as a parameter of the connection, which poolers between us and the server
                // refuse.
                let pool = pool.after_connect(|conn, _| {
                    Box::pin(async move { conn.execute(ABORT_IDLE_TRANSACTIONS).await.map(drop) })
                });
                Engine::Postgres(pool.connect_with(options.statement_cache_capacity(256)).await?)
            }
        };
        Ok(Self {
            engine,
            observer: None,
            retries: None,
            #[cfg(feature = "failpoints")]
            refusals: None,
        })
    }

    /// Applies migrations. Several nodes may call it at once.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.migrate_until(None).await
    }

    /// Stops after this version, so that tests can create rows of earlier versions.
    #[doc(hidden)]
    pub async fn migrate_until(&self, last: Option<i64>) -> Result<(), Error> {
        // Without sqlx's advisory lock, the loser of a race fails on a duplicate and finds nothing
        // to do in the next try.
        let mut tries = 0;
        loop {
            let result = match &self.engine {
                Engine::Sqlite { writer, .. } => {
                    sqlite::migrate(writer.exclusive().await.conn(), &migrations::SQLITE, last)
                }
                Engine::Postgres(pool) => {
                    let mut conn = pool.acquire().await?;
                    let migrated = migrations::postgres().run_direct(last, &mut *conn, false).await;
                    migrated.map_err(|error| Error::Unavailable(error.to_string()))
                }
            };
            match result {
                Ok(()) => return Ok(()),
                Err(_) if tries < 5 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100 * tries)).await;
                }
                Err(error) => return Err(Error::Unavailable(format!("migration: {error}"))),
            }
        }
    }

    /// True if a starting node is certainly alone, so that all leases are void.
    pub const fn is_exclusive(&self) -> bool {
        matches!(self.engine, Engine::Sqlite { .. })
    }

    /// Sets the lease clock of SQLite, for a simulation.
    #[cfg(feature = "failpoints")]
    pub fn set_lease_clock(&self, now: domain::Timestamp) {
        if let Engine::Sqlite { readers, .. } = &self.engine {
            readers.clock().set(now.micros());
        }
    }

    /// `sqlite` or `postgres`.
    pub const fn engine_name(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite { .. } => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    pub fn observe_commits(&mut self, observer: CommitObserver) {
        self.observer = Some(observer);
    }

    pub fn observe_retries(&mut self, observer: CommitObserver) {
        self.retries = Some(observer);
    }

    /// Makes PostgreSQL refuse every `n`-th transaction at its end.
    #[cfg(feature = "failpoints")]
    pub fn refuse_every(&mut self, n: Option<u32>) {
        self.refusals = n.map(Refusals::every);
    }

    pub async fn read(&self) -> Result<Reader, Error> {
        Ok(match &self.engine {
            Engine::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Engine::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    #[doc(hidden)]
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let engine = match &self.engine {
            Engine::Sqlite { writer, .. } => {
                point::pass().await;
                EngineTx::Sqlite(writer.begin().await?)
            }
            Engine::Postgres(pool) => EngineTx::Postgres(pool.begin().await?),
        };
        Ok(Transaction { engine, changes: Changes::default() })
    }

    /// Waits before the next try of a transaction.
    #[doc(hidden)]
    pub async fn pause_before(&self, name: &'static str, attempt: u32) {
        if let Some(observer) = &self.retries {
            observer(name);
        }
        pause(attempt).await;
    }

    #[doc(hidden)]
    pub async fn finish<T, E: From<Error>>(
        &self,
        name: &'static str,
        mut tx: Transaction,
        outcome: Result<T, E>,
    ) -> Result<T, E> {
        let outcome = match outcome {
            // On the heap: few transactions need it, and all futures would grow by its size.
            Ok(value) if !tx.changes.is_empty() => {
                Box::pin(counters::settle(&mut tx)).await.map(|()| value).map_err(E::from)
            }
            other => other,
        };
        #[cfg(feature = "failpoints")]
        let (tx, outcome) = refusals::refuse_if_due(self.refusals.as_ref(), tx, outcome).await;
        let value = match outcome {
            Ok(value) => value,
            Err(error) => {
                // A failed rollback is harmless: the connection is cleaned up or closed before its
                // next use.
                let _ = match tx.engine {
                    EngineTx::Sqlite(tx) => {
                        tx.rollback().await;
                        Ok(())
                    }
                    EngineTx::Postgres(tx) => tx.rollback().await,
                };
                return Err(error);
            }
        };
        match tx.engine {
            EngineTx::Sqlite(tx) => tx.commit().await?,
            EngineTx::Postgres(tx) => tx.commit().await.map_err(Error::from)?,
        }
        if let Some(observer) = &self.observer {
            observer(name);
        }
        Ok(value)
    }

    /// Lets an SQLite file not grow, as on a full disk, or grow again.
    #[cfg(feature = "testing")]
    pub async fn fill_disk(&self, full: bool) -> Result<(), Error> {
        if let Engine::Sqlite { writer, .. } = &self.engine {
            let pages = if full { 1 } else { 1 << 30 };
            let mut writer = writer.exclusive().await;
            writer.conn().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Moves SQLite's write-ahead log into the file.
    pub async fn flush_log(&self) {
        if let Engine::Sqlite { writer, .. } = &self.engine {
            writer.truncate_log().await;
        }
    }

    /// Closes all connections; SQLite's write-ahead log is moved into the file.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close();
                writer.truncate_log().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

fn open_sqlite(path: &std::path::Path) -> Result<Engine, Error> {
    let clock = LeaseClock::default();
    let writer = Writer::new(sqlite::open(path, &clock, false)?, path);
    Ok(Engine::Sqlite { writer, readers: Readers::new(path, clock) })
}

/// A few milliseconds, spread so that rivals do not meet again.
async fn pause(attempt: u32) {
    let mut byte = [0u8; 1];
    let jitter = if getrandom::fill(&mut byte).is_ok() { u64::from(byte[0]) % 8 } else { 0 };
    tokio::time::sleep(Duration::from_millis((1 << attempt.min(7)) + jitter)).await;
}
