//! Exact lengths of whole lists, without counting rows.
//!
//! A change of a list's length is noted in its transaction ([`add`]). The notes are written
//! together right before COMMIT, in one order, so that two transactions never deadlock and each
//! locks the rows only while it commits. A counter is the sum of a few rows, so that transactions
//! of one project seldom meet in the same row. A filtered list is counted by its index.

use crate::db::{Conn, Counter, Result, Tx, conn::Transaction, list::Query, row::FromRow, run, statements};
use domain::ids::ProjectId;
use uuid::Uuid;

statements! {
    ADD = ["INSERT INTO counters (project_id, list, of_id, shard, n) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (project_id, list, of_id, shard) DO UPDATE SET n = counters.n + excluded.n"];
    LENGTH = ["SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counters WHERE project_id = $1 AND list = $2 AND of_id = $3"];
}

/// Notes that a list has grown or shrunk by `by` rows. `row` selects the shard of the counter.
pub(crate) fn add(tx: &mut Tx<'_>, project: ProjectId, counter: Counter, row: Uuid, by: i64) {
    tx.changes.add(project.uuid(), counter, row, by);
}

/// Writes what the transaction has noted. Must be its last statement.
pub(crate) async fn settle(transaction: &mut Transaction) -> Result<()> {
    let mut tx = transaction.tx()?;
    for ((project, counter, shard), by) in std::mem::take(tx.changes).0.into_iter().filter(|(_, by)| *by != 0) {
        let (list, of) = counter.key(project);
        run!(tx, ADD, [project, list, of, shard, by], execute)?;
    }
    Ok(())
}

pub(crate) async fn length(conn: &mut Conn<'_>, project: ProjectId, counter: Counter) -> Result<i64> {
    let (list, of) = counter.key(project.uuid());
    Ok(run!(conn, LENGTH, [project, list, of], fetch_one as (i64,))?.0)
}

/// Bytes of all stored files and versions of agents of a project.
pub async fn stored_bytes(conn: &mut Conn<'_>, project: ProjectId) -> Result<i64> {
    length(conn, project, Counter::StoredBytes).await
}

/// A page of a list and the number of all matching rows: from the counter where nothing is
/// filtered, else counted.
pub(crate) async fn page<R: FromRow>(
    conn: &mut Conn<'_>,
    (project, counter): (ProjectId, Counter),
    query: &Query,
    (limit, offset): (i64, i64),
) -> Result<(Vec<R>, i64)> {
    let total = if query.is_filtered { query.count(conn).await? } else { length(conn, project, counter).await? };
    let rows = if offset < total { query.page(conn, limit, offset).await? } else { Vec::new() };
    Ok((rows, total))
}
