//! Leases: claims raise the epoch, and a stale epoch writes nothing.

use crate::support::{NOW, World, at_once, later};
use domain::{Span, ids::ConversationId};
use store::{
    Error, conversations,
    conversations::{ConversationRow, Release},
    due::{self, SharedWork},
    transact, unscoped,
    unscoped::DueConversation,
};

async fn claim(world: &World, id: ConversationId, epoch: i64) -> Option<ConversationRow> {
    let due = DueConversation { project_id: world.project, id, epoch };
    transact!(world.store, "test", tx => conversations::claim(tx, due, "node").await).expect("an answer")
}

async fn stored(world: &World, id: ConversationId) -> String {
    let mut reader = world.store.read().await.expect("a reader");
    let row = conversations::find(&mut reader.conn(), world.project, id).await.expect("an answer");
    let times = "SELECT lease_until + updated_at FROM conversations";
    format!("{row:?} {}", world.number(times).await)
}

const RELEASED: Release = Release { execution: None, due_at: None, keep: false };

#[tokio::test]
async fn claim_raises_the_epoch_and_each_epoch_claims_once() {
    let world = World::new().await;
    let id = world.conversation().await;
    assert_eq!(claim(&world, id, 0).await.unwrap().epoch, 1);
    assert!(claim(&world, id, 0).await.is_none(), "the epoch seen is gone");
    assert!(claim(&world, id, 1).await.is_none(), "another worker has the lease");

    world.execute("UPDATE conversations SET lease_until = 1").await;
    assert!(claim(&world, id, 0).await.is_none(), "the epoch has changed, although no lease is active");
    assert_eq!(claim(&world, id, 1).await.unwrap().epoch, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_concurrent_claims_succeeds() {
    let world = World::new().await;
    let due = DueConversation { project_id: world.project, id: world.conversation().await, epoch: 0 };
    let store = world.store.clone();
    let claims = at_once(32, |n| {
        let store = store.clone();
        async move {
            let owner = format!("node {n}");
            transact!(store, "test", tx => conversations::claim(tx, due, &owner).await).expect("an answer")
        }
    })
    .await;
    assert_eq!(claims.into_iter().flatten().map(|row| row.epoch).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn stale_epoch_is_reported_and_writes_nothing() {
    let world = World::new().await;
    let id = world.conversation().await;
    claim(&world, id, 0).await.unwrap();
    world.execute("UPDATE conversations SET lease_until = 1").await;
    claim(&world, id, 1).await.unwrap();
    let before = stored(&world, id).await;

    let held = transact!(world.store, "test", tx => conversations::held(tx, world.project, id, 1, later(9)).await);
    assert!(matches!(held, Err(Error::StaleEpoch)), "{held:?}");
    for keep in [false, true] {
        let release = Release { due_at: Some(later(9)), keep, ..RELEASED };
        let released =
            transact!(world.store, "test", tx => conversations::release(tx, world.project, id, 1, release).await);
        assert!(matches!(released, Err(Error::StaleEpoch)), "{released:?}");
    }
    assert_eq!(stored(&world, id).await, before);
    transact!(world.store, "test", tx => conversations::held(tx, world.project, id, 2, NOW).await).unwrap();
}

#[tokio::test]
async fn released_conversation_can_be_claimed_and_a_leased_one_cannot() {
    let world = World::new().await;
    let id = world.conversation().await;
    claim(&world, id, 0).await.unwrap();
    let keep = Release { keep: true, ..RELEASED };
    transact!(world.store, "test", tx => conversations::release(tx, world.project, id, 1, keep).await).unwrap();
    assert!(claim(&world, id, 1).await.is_none());
    transact!(world.store, "test", tx => conversations::release(tx, world.project, id, 1, RELEASED).await).unwrap();
    assert_eq!(claim(&world, id, 1).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn due_conversations_without_lease_are_listed_oldest_first() {
    let world = World::new().await;
    let ids = [world.conversation().await, world.conversation().await, world.conversation().await];
    for (id, seconds) in ids.iter().zip([-1, -2, 60]) {
        transact!(world.store, "test", tx => conversations::wake(tx, world.project, *id, later(seconds), None).await)
            .unwrap();
    }
    let due = |limit| {
        let store = world.store.clone();
        async move {
            let mut reader = store.read().await.expect("a reader");
            let rows = due::due(&mut reader.conn(), SharedWork::Turns, NOW, limit).await.expect("an answer");
            rows.into_iter().map(|row| row.turn().id).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(10).await, [ids[1], ids[0]]);
    assert_eq!(due(1).await, [ids[1]]);
    claim(&world, ids[1], 0).await.unwrap();
    assert_eq!(due(10).await, [ids[0]]);
    // Its worker died: due again when the lease expires.
    world.execute("UPDATE conversations SET lease_until = 1 WHERE lease_until > 0").await;
    assert_eq!(due(10).await, [ids[1], ids[0]]);
}

#[tokio::test]
async fn voided_leases_are_claimable_and_old_holders_write_nothing() {
    let world = World::new().await;
    let id = world.conversation().await;
    claim(&world, id, 0).await.unwrap();
    transact!(world.store, "test", tx => unscoped::void_all_leases(tx).await).unwrap();

    let held = transact!(world.store, "test", tx => conversations::held(tx, world.project, id, 1, NOW).await);
    assert!(matches!(held, Err(Error::StaleEpoch)), "{held:?}");
    assert_eq!(claim(&world, id, 2).await.unwrap().epoch, 3);
    transact!(world.store, "test", tx => conversations::release(tx, world.project, id, 3, RELEASED).await).unwrap();
    transact!(world.store, "test", tx => unscoped::void_all_leases(tx).await).unwrap();
    assert_eq!(claim(&world, id, 3).await.unwrap().epoch, 4, "a row without a lease keeps its epoch");
}

#[tokio::test]
async fn restarted_node_voids_only_its_own_leases() {
    let world = World::new().await;
    let (own, other) = (world.conversation().await, world.conversation().await);
    for (id, owner) in [(own, "a/1"), (other, "ab/1")] {
        let due = DueConversation { project_id: world.project, id, epoch: 0 };
        transact!(world.store, "test", tx => conversations::claim(tx, due, owner).await).unwrap().unwrap();
    }
    transact!(world.store, "test", tx => unscoped::void_leases_of(tx, "a/").await).unwrap();

    let held = transact!(world.store, "test", tx => conversations::held(tx, world.project, own, 1, NOW).await);
    assert!(matches!(held, Err(Error::StaleEpoch)), "{held:?}");
    assert_eq!(claim(&world, own, 2).await.unwrap().epoch, 3);
    transact!(world.store, "test", tx => conversations::held(tx, world.project, other, 1, NOW).await).unwrap();
    assert!(claim(&world, other, 1).await.is_none(), "the other node still holds it");
}

#[tokio::test]
async fn renewal_extends_an_active_lease_of_its_epoch_only() {
    let world = World::new().await;
    let id = world.conversation().await;
    claim(&world, id, 0).await.unwrap();
    world.execute("UPDATE conversations SET lease_until = lease_until - 5000000").await;
    let until = || world.number("SELECT lease_until FROM conversations");
    let renew = |epoch: i64| {
        let (store, project) = (world.store.clone(), world.project);
        async move { transact!(store, "test", tx => conversations::renew(tx, project, id, epoch).await).expect("an answer") }
    };
    let first = until().await;
    assert_eq!((renew(2).await, until().await), (false, first));
    assert!(renew(1).await);
    assert!(until().await > first + Span::from_secs(4).micros());

    world.execute("UPDATE conversations SET lease_until = 1").await;
    assert_eq!((renew(1).await, until().await), (false, 1));
}

#[tokio::test]
async fn conversation_is_postponed_by_its_own_epoch_only() {
    let world = World::new().await;
    let id = world.conversation().await;
    claim(&world, id, 0).await.unwrap();
    let postpone = |epoch: i64| {
        let (store, project) = (world.store.clone(), world.project);
        async move {
            transact!(store, "test", tx => conversations::postpone(tx, project, id, epoch, NOW).await)
                .expect("an answer")
        }
    };
    let until = || world.number("SELECT lease_until FROM conversations");
    postpone(0).await;
    assert!(until().await > 0, "an older epoch changes nothing");
    postpone(1).await;
    assert_eq!((until().await, world.number("SELECT due_at FROM conversations").await), (0, NOW.micros()));
}
