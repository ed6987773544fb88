//! Creates and drops whole PostgreSQL databases, for the test fixture only.
//!
//! A database's name cannot be a bound value, so it is checked letter by letter before it enters a
//! statement.

use crate::db::{
    error::{Error, Result},
    migrations,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::str::FromStr as _;

/// PostgreSQL cuts longer names silently.
const LONGEST_NAME: usize = 63;

/// Copies `template` if there is one. [`Error::Conflict`] if the name is taken.
pub async fn create_database(server: &str, name: &str, template: Option<&str>) -> Result<()> {
    let template = template.map_or(Ok("template0"), checked)?;
    execute(server, format!("CREATE DATABASE {} TEMPLATE {template}", checked(name)?)).await
}

/// Atomic. [`Error::Conflict`] if the new name is taken.
pub async fn rename_database(server: &str, name: &str, to: &str) -> Result<()> {
    execute(server, format!("ALTER DATABASE {} RENAME TO {}", checked(name)?, checked(to)?)).await
}

/// Ends the connections to the database and drops it. Succeeds if there is none.
pub async fn drop_database(server: &str, name: &str) -> Result<()> {
    execute(server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", checked(name)?)).await
}

pub async fn databases(server: &str) -> Result<Vec<String>> {
    let mut conn = connect(server).await?;
    let names: Vec<(String,)> =
        sqlx::query_as("SELECT datname FROM pg_database ORDER BY datname").fetch_all(&mut conn).await?;
    conn.close().await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

/// A hash of the PostgreSQL schema that this build creates: 16 hexadecimal digits.
pub fn schema_name() -> String {
    let mut digest = [0u8; 8];
    for migration in migrations::postgres().iter() {
        for (at, byte) in migration.checksum.iter().enumerate() {
            // Rotated for each migration, so that their order counts.
            digest[at % 8] = digest[at % 8].rotate_left(1) ^ byte;
        }
    }
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn execute(server: &str, sql: String) -> Result<()> {
    let mut conn = connect(server).await?;
    let done = sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(&mut conn).await;
    conn.close().await?;
    match done {
        Ok(_) => Ok(()),
        // 42P04: duplicate database. 23505: another session is creating it.
        Err(error)
            if error.as_database_error().is_some_and(|e| matches!(e.code().as_deref(), Some("42P04" | "23505"))) =>
        {
            Err(Error::Conflict(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn connect(server: &str) -> Result<PgConnection> {
    Ok(PgConnectOptions::from_str(server)?.disable_statement_logging().connect().await?)
}

fn checked(name: &str) -> Result<&str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(fits);
    if is_plain && name.len() <= LONGEST_NAME {
        Ok(name)
    } else {
        Err(Error::Unavailable(format!("not a plain database name: {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_database_names_are_accepted() {
        for name in ["chasqui_test_1", "a"] {
            assert_eq!(checked(name).ok(), Some(name));
        }
        for name in ["", "1a", "_a", "A", "a b", "a;DROP DATABASE x", "a\"", "a'", "ñ", "a-b", &"a".repeat(64)] {
            assert!(checked(name).is_err(), "{name:?}");
        }
    }
}
