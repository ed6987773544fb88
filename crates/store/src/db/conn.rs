//! Connections and transactions of either engine, as one type each.

use crate::db::{changes::Changes, error::Error, sqlite::PooledReader, writer::WriterTx};
use domain::{Timestamp, ids::ProjectId};
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::ops::{Deref, DerefMut};

/// A connection for reading.
pub enum Conn<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    Postgres(&'c mut PgConnection),
}

impl Conn<'_> {
    /// The same connection for a shorter time.
    pub(crate) fn reborrow(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }
}

/// A connection inside a transaction. Writes take this type, so that nothing is written outside of
/// one.
pub struct Tx<'c> {
    conn: Conn<'c>,
    pub(crate) changes: &'c mut Changes,
}

impl<'c> Deref for Tx<'c> {
    type Target = Conn<'c>;
    fn deref(&self) -> &Conn<'c> {
        &self.conn
    }
}
impl<'c> DerefMut for Tx<'c> {
    fn deref_mut(&mut self) -> &mut Conn<'c> {
        &mut self.conn
    }
}

/// One project's part of a transaction, at one time of the injected clock.
pub struct Scope<'t, 'c> {
    tx: &'t mut Tx<'c>,
    pub project: ProjectId,
    pub now: Timestamp,
}

impl<'c> Tx<'c> {
    pub fn scope(&mut self, project: ProjectId, now: Timestamp) -> Scope<'_, 'c> {
        Scope { tx: self, project, now }
    }
}

impl<'c> Deref for Scope<'_, 'c> {
    type Target = Tx<'c>;
    fn deref(&self) -> &Tx<'c> {
        self.tx
    }
}
impl<'c> DerefMut for Scope<'_, 'c> {
    fn deref_mut(&mut self) -> &mut Tx<'c> {
        self.tx
    }
}

/// A pooled connection for reading. It sees committed data only.
pub enum Reader {
    Sqlite(PooledReader),
    Postgres(PoolConnection<Postgres>),
}

impl Reader {
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(reader) => Conn::Sqlite(reader.conn()),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }
}

/// An open transaction. Used through [`transact!`](crate::transact), which also retries.
pub struct Transaction {
    pub(crate) engine: EngineTx,
    pub(crate) changes: Changes,
}

pub(crate) enum EngineTx {
    Sqlite(WriterTx),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    pub fn tx(&mut self) -> Result<Tx<'_>, Error> {
        let conn = match &mut self.engine {
            EngineTx::Sqlite(tx) => Conn::Sqlite(tx.conn()?),
            EngineTx::Postgres(tx) => Conn::Postgres(tx),
        };
        Ok(Tx { conn, changes: &mut self.changes })
    }
}
