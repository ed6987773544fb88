//! Deduplication: Meta delivers an event several times, also in parallel.

use crate::support::{NOW, NUMBER, World, at_once};
use store::{messages, transact};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_64_parallel_deliveries_is_first() {
    let world = World::new().await;
    let (store, project) = (world.store.clone(), world.project);
    let first = at_once(64, |_| {
        let store = store.clone();
        async move {
            transact!(store, "test", tx => messages::first_seen(tx, project, NUMBER, "wamid.1", NOW).await)
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(first.iter().filter(|first| **first).count(), 1);
    assert_eq!(world.number("SELECT count(*) FROM wamid_seen").await, 1);
}

#[tokio::test]
async fn rolled_back_delivery_is_not_recorded() {
    let world = World::new().await;
    let failed: store::Result<()> = transact!(world.store, "test", tx => {
        assert!(messages::first_seen(tx, world.project, NUMBER, "wamid.1", NOW).await?);
        Err(store::Error::Unavailable("later in the transaction".into()))
    });
    assert!(failed.is_err());
    for expected in [true, false] {
        let first =
            transact!(world.store, "test", tx => messages::first_seen(tx, world.project, NUMBER, "wamid.1", NOW).await);
        assert_eq!(first.unwrap(), expected);
    }
}

#[tokio::test]
async fn message_ids_are_deduplicated_per_number() {
    let world = World::new().await;
    for number in [NUMBER, "another"] {
        let first =
            transact!(world.store, "test", tx => messages::first_seen(tx, world.project, number, "wamid.1", NOW).await);
        assert!(first.unwrap(), "{number}");
    }
}
