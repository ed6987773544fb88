//! Migrations, also when several nodes start together, and what they do to rows of earlier
//! versions.

use crate::support::{at_once, execute, fresh};
use domain::{Id, ids::ProjectId};
use std::sync::Arc;
use store::{messages, projects, transact};
use testkit::database::TestDatabase;
use uuid::Uuid;

#[tokio::test]
async fn second_migration_changes_nothing() {
    let database = TestDatabase::unmigrated().await;
    let store = database.open().await;
    let id: ProjectId = fresh();
    for _ in 0..2 {
        store.migrate().await.unwrap();
        transact!(store, "test", tx => projects::insert(tx, id, "Acme", crate::support::NOW).await).unwrap();
    }
    let mut reader = store.read().await.unwrap();
    assert_eq!(projects::named(&mut reader.conn(), "Acme").await.unwrap().len(), 1);
}

/// Six nodes on one PostgreSQL database; on SQLite six tasks of one node.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_migrate_together_all_succeed() {
    let database = Arc::new(TestDatabase::unmigrated().await);
    let one = database.open().await;
    let migrated = at_once(6, |_| {
        let (database, one) = (database.clone(), one.clone());
        async move {
            let node = if one.is_exclusive() { one } else { database.open().await };
            node.migrate().await?;
            let mut reader = node.read().await?;
            projects::named(&mut reader.conn(), "Absent").await.map(|found| found.len())
        }
    })
    .await;
    for result in migrated {
        assert_eq!(result.unwrap(), 0);
    }
}

/// An id in the engine's SQL.
fn id(sqlite: bool, n: u128) -> String {
    let uuid = Uuid::from_u128(n);
    if sqlite { format!("x'{}'", uuid.simple()) } else { format!("'{uuid}'::uuid") }
}

#[tokio::test]
async fn message_origins_of_earlier_versions_are_filled() {
    let database = TestDatabase::unmigrated().await;
    let store = database.open().await;
    store.migrate_until(Some(10)).await.unwrap();
    let sqlite = store.engine_name() == "sqlite";
    let message = |n: u128, direction: &str, execution: Option<u128>| {
        let execution = execution.map_or("NULL".into(), |n| id(sqlite, n));
        format!(
            "INSERT INTO messages (project_id, conversation_id, seq, id, direction, kind, content, status, status_rank, execution_id, \
             created_at, updated_at) VALUES ({}, {}, {n}, {}, '{direction}', 'text', 'x', 'pending', 0, {execution}, 0, 0)",
            id(sqlite, 1),
            id(sqlite, 2),
            id(sqlite, n),
        )
    };
    let outbox = |n: u128, source_key: &str| {
        format!(
            "INSERT INTO outbox (project_id, id, conversation_id, out_seq, source_key, message_id, phone_number_id, payload, state, \
             attempt, next_at, give_up_at, policy, lease_until, epoch, lane, created_at, updated_at) \
             VALUES ({}, {}, {}, {n}, '{source_key}', {}, '1', '{{}}', 'accepted', 0, 0, 0, 'retry', 0, 0, 0, 0, 0)",
            id(sqlite, 1),
            id(sqlite, 100 + n),
            id(sqlite, 2),
            id(sqlite, n),
        )
    };
    let rows = [
        message(11, "inbound", None),
        message(12, "inbound", Some(3)),
        message(13, "outbound", Some(3)),
        message(14, "outbound", None),
        outbox(14, "sandbox:help:wamid"),
        message(15, "outbound", None),
        outbox(15, "api:1"),
        // The text of a sandbox answer alone does not make one.
        message(16, "outbound", None),
    ];
    for sql in rows {
        transact!(store, "test", tx => execute(tx, &sql).await).unwrap();
    }
    store.migrate().await.unwrap();
    let mut reader = store.read().await.unwrap();
    for (n, origin) in [(11, "contact"), (12, "contact"), (13, "agent"), (14, "sandbox"), (15, "api"), (16, "api")] {
        let (project, id) = (Id::from_uuid(Uuid::from_u128(1)), Id::from_uuid(Uuid::from_u128(n)));
        let row = messages::find(&mut reader.conn(), project, id).await.unwrap().unwrap();
        assert_eq!(row.origin.as_str(), origin, "{n}");
    }
}
