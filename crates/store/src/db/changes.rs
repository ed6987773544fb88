//! Changes of list lengths that a transaction has made so far. `counters` writes them right before
//! COMMIT.

use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows that make up one counter.
const SHARDS: u128 = 8;

/// A list whose length is kept in a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    Agents,
    /// Contacts with a phone number or user id.
    Contacts,
    /// Conversations on WhatsApp; those of tests have no number.
    Conversations,
    Customers,
    /// An agent's executions without those of tests.
    ExecutionsOf(Uuid),
    SandboxSessions,
    /// Bytes of stored files and versions of agents, not rows.
    StoredBytes,
    TestRunsOfCase(Uuid),
    TestRunsOfSuite(Uuid),
    WhatsappConfigs,
}

impl Counter {
    /// The stored name, and the id of the object whose list it is.
    pub(crate) const fn key(self, project: Uuid) -> (&'static str, Uuid) {
        match self {
            Self::Agents => ("agents", project),
            Self::Contacts => ("contacts", project),
            Self::Conversations => ("conversations", project),
            Self::Customers => ("customers", project),
            Self::ExecutionsOf(agent) => ("executions", agent),
            Self::SandboxSessions => ("sandbox_sessions", project),
            Self::StoredBytes => ("stored_bytes", project),
            Self::TestRunsOfCase(case) => ("test_runs_of_case", case),
            Self::TestRunsOfSuite(suite) => ("test_runs_of_suite", suite),
            Self::WhatsappConfigs => ("whatsapp_configs", project),
        }
    }
}

/// By project, list and shard, sorted, so that concurrent transactions lock counter rows in the
/// same order.
#[derive(Debug, Default)]
pub(crate) struct Changes(pub(crate) BTreeMap<(Uuid, Counter, i64), i64>);

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `row` selects the shard.
    pub(crate) fn add(&mut self, project: Uuid, counter: Counter, row: Uuid, by: i64) {
        // Version 7 ids: the last bits are random, the first ones are the time.
        let shard = i64::try_from(row.as_u128() % SHARDS).unwrap_or_default();
        *self.0.entry((project, counter, shard)).or_default() += by;
    }
}
