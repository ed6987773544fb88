//! How many things are in a whole list, without counting them.
//!
//! What adds to a list or takes from it says so in its transaction ([`grew`]); the changes are written together right before
//! COMMIT, in one order, so that two transactions never wait for each other in a circle and each holds the rows only for
//! the length of its commit. A counter is the sum of a few rows, so that transactions of one project seldom meet in the
//! same row. A list that is filtered is counted by its index instead.

use crate::{Conn, Result, Transaction, Tx, db::sql::{run, statements}};
use domain::ids::ProjectId;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows that make up one counter.
const SHARDS: u128 = 8;

/// A list whose length is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    /// The project's agents.
    Agents,
    /// The project's contacts that somebody can be reached by.
    Contacts,
    /// The project's conversations on WhatsApp.
    Conversations,
    /// The project's customers.
    Customers,
    /// An agent's executions, tests left out.
    ExecutionsOf(Uuid),
    /// The project's sandbox sessions.
    SandboxSessions,
    /// The runs of a test case.
    TestRunsOfCase(Uuid),
    /// The runs of a test suite.
    TestRunsOfSuite(Uuid),
    /// The project's WhatsApp configs.
    WhatsappConfigs,
}

impl List {
    /// Its name, and what it is a list of.
    const fn key(self, project: Uuid) -> (&'static str, Uuid) {
        match self {
            Self::Agents => ("agents", project),
            Self::Contacts => ("contacts", project),
            Self::Conversations => ("conversations", project),
            Self::Customers => ("customers", project),
            Self::ExecutionsOf(agent) => ("executions", agent),
            Self::SandboxSessions => ("sandbox_sessions", project),
            Self::TestRunsOfCase(case) => ("test_runs_of_case", case),
            Self::TestRunsOfSuite(suite) => ("test_runs_of_suite", suite),
            Self::WhatsappConfigs => ("whatsapp_configs", project),
        }
    }
}

/// What a transaction has changed so far: by project, list and shard.
#[derive(Debug, Default)]
pub(crate) struct Changes(BTreeMap<(Uuid, List, i64), i64>);

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

statements! {
    ADD = ["INSERT INTO counters (project_id, list, of_id, shard, n) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (project_id, list, of_id, shard) DO UPDATE SET n = counters.n + excluded.n"];
    LENGTH = ["SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM counters WHERE project_id = $1 AND list = $2 AND of_id = $3"];
}

/// Notes that a list has grown by so many things, or shrunk. `thing` decides which row of the counter is changed.
pub(crate) fn grew(tx: &mut Tx<'_>, project: ProjectId, list: List, thing: Uuid, by: i64) {
    // Version 7: the last bits are random, the first ones are the time.
    let shard = i64::try_from(thing.as_u128() % SHARDS).unwrap_or_default();
    *tx.changes.0.entry((project.uuid(), list, shard)).or_default() += by;
}

/// Writes what the transaction has noted, as the last thing that it does.
pub(crate) async fn settle(transaction: &mut Transaction) -> Result<()> {
    let mut tx = transaction.tx()?;
    for ((project, list, shard), by) in std::mem::take(tx.changes).0.into_iter().filter(|(_, by)| *by != 0) {
        let (name, part) = list.key(project);
        run!(tx, ADD, [project, name, part, shard, by], execute)?;
    }
    Ok(())
}

/// How many things the whole list has.
pub(crate) async fn length(conn: &mut Conn<'_>, project: ProjectId, list: List) -> Result<i64> {
    let (name, part) = list.key(project.uuid());
    Ok(run!(conn, LENGTH, [project.uuid(), name, part], fetch_one as (i64,))?.0)
}
