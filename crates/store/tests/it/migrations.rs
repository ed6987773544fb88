//! Bringing the schema up to date, also when several nodes start together.

use crate::support::{at_once, fresh};
use domain::ids::ProjectId;
use std::sync::Arc;
use store::projects;
use testkit::database::TestDatabase;

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    let database = TestDatabase::unmigrated().await;
    let store = database.open().await;
    let id: ProjectId = fresh();
    for _ in 0..2 {
        store.migrate().await.unwrap();
        store::transact!(store, "test", tx => projects::insert(tx, id, "Acme", crate::support::NOW).await).unwrap();
    }
    let mut reader = store.read().await.unwrap();
    assert_eq!(projects::named(&mut reader.conn(), "Acme").await.unwrap().len(), 1);
}

/// One PostgreSQL database, six nodes; one SQLite file has one node, whose tasks may still do it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_all_find_the_schema() {
    let database = Arc::new(TestDatabase::unmigrated().await);
    let one = database.open().await;
    let migrated = at_once(6, |_| {
        let (database, one) = (database.clone(), one.clone());
        async move {
            let node = if one.is_exclusive() { one } else { database.open().await };
            node.migrate().await?;
            let mut reader = node.read().await?;
            projects::named(&mut reader.conn(), "nobody").await.map(|found| found.len())
        }
    })
    .await;
    for result in migrated {
        assert_eq!(result.unwrap(), 0);
    }
}
