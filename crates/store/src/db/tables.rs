//! Rows of a project in every table, by the schema of the database; for tests only.
//!
//! Names of tables come from the database itself.

use crate::db::{conn::Conn, error::Result, row::Parameter as _, store::Store};
use domain::ids::ProjectId;
use rusqlite::types::Value;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows as texts, sorted, of every table that has a project, and of `projects`.
pub async fn rows_of(store: &Store, project: ProjectId) -> Result<BTreeMap<String, Vec<String>>> {
    let mut reader = store.read().await?;
    let id: Uuid = project.stored();
    let mut all = BTreeMap::new();
    match reader.conn() {
        Conn::Sqlite(conn) => {
            for table in sqlite_tables(conn)? {
                let mut rows = sqlite_rows(conn, &table, id)?;
                rows.sort();
                all.insert(table, rows);
            }
        }
        Conn::Postgres(conn) => {
            let tables: Vec<(String,)> = sqlx::query_as(
                "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'project_id' \
                 UNION SELECT 'projects'",
            )
            .fetch_all(&mut *conn)
            .await?;
            for (table,) in tables {
                let sql = format!("SELECT t::text FROM \"{table}\" t WHERE t.{} = $1 ORDER BY 1", key(&table));
                let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_all(&mut *conn).await?;
                all.insert(table, rows.into_iter().map(|(row,)| row).collect());
            }
        }
    }
    Ok(all)
}

fn key(table: &str) -> &'static str {
    if table == "projects" { "id" } else { "project_id" }
}

fn sqlite_tables(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
               AND c.name = 'project_id' UNION SELECT 'projects'";
    conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn sqlite_rows(conn: &rusqlite::Connection, table: &str, project: Uuid) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(&format!("SELECT * FROM \"{table}\" WHERE {} = ?1", key(table)))?;
    let columns = statement.column_count();
    let rows = statement.query_map([project], |row| {
        let values = (0..columns).map(|at| row.get::<_, Value>(at));
        Ok(format!("{:?}", values.collect::<rusqlite::Result<Vec<Value>>>()?))
    })?;
    rows.collect()
}
