//! Reads a database without changing it: no file is created, no migration runs.

use crate::db::{conn::Conn, error::Error, migrations, paths::beside, sqlite, url::DatabaseUrl};
use rusqlite::{Connection, OpenFlags};
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use std::{path::Path, str::FromStr as _, time::Duration};

/// A connection that only reads.
pub struct Inspection(Engine);

enum Engine {
    Sqlite(Connection),
    Postgres(PgConnection),
}

/// State of the schema, compared with the migrations of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There are no tables of ours.
    Empty,
    Current,
    /// This many migrations are to be applied.
    Older(usize),
    /// Another version of the program wrote a migration that this one does not have.
    Newer,
}

impl Inspection {
    /// `None` if there is no SQLite file.
    pub async fn open(url: &DatabaseUrl) -> Result<Option<Self>, Error> {
        match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => Ok(None),
            DatabaseUrl::Sqlite(path) => Ok(Some(Self(Engine::Sqlite(read_only(path)?)))),
            DatabaseUrl::Postgres(url) => {
                let options = PgConnectOptions::from_str(url)?.application_name("chasqui").disable_statement_logging();
                let conn = tokio::time::timeout(Duration::from_secs(5), options.connect()).await;
                let conn = conn.map_err(|_| Error::Unavailable("no connection within 5 s".into()))??;
                Ok(Some(Self(Engine::Postgres(conn))))
            }
        }
    }

    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.0 {
            Engine::Sqlite(conn) => Conn::Sqlite(conn),
            Engine::Postgres(conn) => Conn::Postgres(conn),
        }
    }

    /// Compares the applied migrations with those of this program.
    pub async fn schema(&mut self) -> Result<Schema, Error> {
        const APPLIED: &str = "SELECT version FROM _sqlx_migrations";
        let (applied, known): (Vec<(i64,)>, Vec<i64>) = match &mut self.0 {
            Engine::Sqlite(conn) => {
                let tables = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
                let (tables,): (i64,) = sqlite::fetch_one(conn, tables, &[])?;
                let applied = if tables == 0 { Vec::new() } else { sqlite::fetch_all(conn, APPLIED, &[])? };
                (applied, migrations::SQLITE.iter().map(|migration| migration.version).collect())
            }
            Engine::Postgres(conn) => {
                let tables = "SELECT count(*) FROM information_schema.tables \
                              WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'";
                let (tables,): (i64,) = sqlx::query_as(tables).fetch_one(&mut *conn).await?;
                let applied =
                    if tables == 0 { Vec::new() } else { sqlx::query_as(APPLIED).fetch_all(&mut *conn).await? };
                (applied, migrations::postgres().iter().map(|migration| migration.version).collect())
            }
        };
        let missing = known.iter().filter(|version| !applied.contains(&(**version,))).count();
        Ok(match missing {
            _ if applied.iter().any(|(version,)| !known.contains(version)) => Schema::Newer,
            _ if applied.is_empty() => Schema::Empty,
            0 => Schema::Current,
            missing => Schema::Older(missing),
        })
    }
}

/// Opens an existing file. Without a write-ahead log the file is complete and SQLite is told that
/// it does not change: otherwise it would create an empty log, and leave it behind.
pub(crate) fn read_only(path: &Path) -> Result<Connection, Error> {
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = if beside(path, "-wal").exists() {
        Connection::open_with_flags(path, access)?
    } else {
        Connection::open_with_flags(immutable(path), access | OpenFlags::SQLITE_OPEN_URI)?
    };
    conn.busy_timeout(sqlite::BUSY)?;
    Ok(conn)
}

fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn inspection_creates_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?c#d%20.db");
        let url = DatabaseUrl::Sqlite(path.clone());
        assert!(Inspection::open(&url).await.unwrap().is_none());
        let store = crate::Store::open(&url).await.unwrap();
        store.migrate_until(Some(3)).await.unwrap();
        store.close().await;
        drop(store);
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&path, ending));
        }
        let mut look = Inspection::open(&url).await.unwrap().unwrap();
        let all = migrations::SQLITE.iter().count();
        assert_eq!(look.schema().await.unwrap(), Schema::Older(all - 3));
        drop(look);
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "only the database is there");
    }
}
