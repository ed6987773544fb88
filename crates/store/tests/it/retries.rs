//! Transactions that PostgreSQL aborts because of others are retried and counted.

use crate::support::{NOW, World, at_once};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use store::{conversations, transact};
use testkit::database::TestDatabase;
use tokio::sync::Barrier;

/// A deadlock (40P01), which PostgreSQL detects after a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocked_transactions_are_retried_and_both_commit() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let mut world = World::new().await;
    let retries = Arc::new(AtomicUsize::new(0));
    let count = retries.clone();
    world.store.observe_retries(Arc::new(move |name| {
        assert_eq!(name, "test.deadlock");
        count.fetch_add(1, Ordering::SeqCst);
    }));
    let rows = [world.conversation().await, world.conversation().await];
    let (store, project, meet) = (world.store.clone(), world.project, Arc::new(Barrier::new(2)));
    let done = at_once(2, |n| {
        let (store, meet) = (store.clone(), meet.clone());
        async move {
            let mut runs = 0;
            transact!(store, "test.deadlock", tx => {
                runs += 1;
                conversations::next_seq(tx, project, rows[n], NOW).await?;
                if runs == 1 {
                    meet.wait().await;
                }
                conversations::next_seq(tx, project, rows[1 - n], NOW).await
            })
            .map(drop)
        }
    })
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(retries.load(Ordering::SeqCst), 1, "one of them had to give way");
    assert_eq!(
        world.number("SELECT sum(next_seq)::bigint FROM conversations").await,
        2 + 4,
        "each change is there once"
    );
}
