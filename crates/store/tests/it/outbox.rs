//! Outbox: sends in order, once per source key, settled by the claiming worker only.

use crate::support::{NOW, World, at_once, later};
use domain::ids::OutboxId;
use store::{
    Error,
    due::{self, SharedWork},
    outbox::{self, Claimed, OutboxState, Settlement},
    transact,
    unscoped::{self, DueOutbox},
};

async fn claim(world: &World, id: OutboxId, epoch: i64) -> Option<Claimed> {
    let due = DueOutbox { project_id: world.project, id, epoch };
    transact!(world.store, "test", tx => outbox::claim(tx, due, "node", NOW).await).expect("an answer")
}

async fn settle(world: &World, id: OutboxId, epoch: i64, state: OutboxState) -> store::Result<outbox::OutboxRow> {
    let message = String::new();
    let settlement = match state {
        OutboxState::Queued => Settlement::Queued { at: later(-1), message },
        OutboxState::Unknown => Settlement::Unknown { until: later(-1), message },
        OutboxState::Accepted => Settlement::Accepted { wamid: format!("wamid.{id}") },
        OutboxState::Failed => Settlement::Failed { code: "send_failed", message },
        OutboxState::Unconfirmed => Settlement::Unconfirmed,
        // No attempt ends so: its worker died.
        OutboxState::Sending => {
            world.execute("UPDATE outbox SET lease_until = 0").await;
            let mut reader = world.store.read().await?;
            return Ok(outbox::find(&mut reader.conn(), world.project, id).await?.expect("the entry"));
        }
    };
    transact!(world.store, "test", tx => outbox::settle(tx, world.project, id, epoch, &settlement, NOW).await)
}

async fn due(world: &World) -> Vec<OutboxId> {
    let mut reader = world.store.read().await.expect("a reader");
    let rows = due::due(&mut reader.conn(), SharedWork::Sends, NOW, 10).await.expect("an answer");
    rows.into_iter().map(|row| row.send().id).collect()
}

#[tokio::test]
async fn conversation_sends_one_at_a_time_in_order() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let first = world.intent(conversation, "a").await.unwrap();
    let second = world.intent(conversation, "b").await.unwrap();
    let elsewhere = world.intent(world.conversation().await, "c").await.unwrap();
    let mut ready = due(&world).await;
    ready.sort();
    assert_eq!(ready, [first, elsewhere]);
    for (at, unsettled) in [OutboxState::Queued, OutboxState::Sending, OutboxState::Unknown].into_iter().enumerate() {
        assert!(claim(&world, second, 0).await.is_none(), "before {unsettled:?}");
        let epoch = claim(&world, first, at as i64).await.unwrap().row.epoch;
        assert!(claim(&world, second, 0).await.is_none(), "while the first is held");
        settle(&world, first, epoch, unsettled).await.unwrap();
        assert!(!due(&world).await.contains(&second), "after {unsettled:?}");
    }
    let epoch = claim(&world, first, 3).await.unwrap().row.epoch;
    settle(&world, first, epoch, OutboxState::Accepted).await.unwrap();
    assert!(due(&world).await.contains(&second));
    assert_eq!(claim(&world, second, 0).await.unwrap().row.id, second);
}

#[tokio::test]
async fn failed_or_unconfirmed_send_does_not_block_the_next() {
    let world = World::new().await;
    for state in [OutboxState::Failed, OutboxState::Unconfirmed] {
        let conversation = world.conversation().await;
        let first = world.intent(conversation, &format!("{state:?} first")).await.unwrap();
        let second = world.intent(conversation, &format!("{state:?} second")).await.unwrap();
        claim(&world, first, 0).await.unwrap();
        settle(&world, first, 1, state).await.unwrap();
        assert!(claim(&world, first, 1).await.is_none(), "{state:?} is over");
        assert!(claim(&world, second, 0).await.is_some(), "{state:?}");
    }
}

/// Another worker may have settled the row to wait for a status: settling raises no epoch.
#[tokio::test]
async fn row_that_is_no_longer_due_is_not_claimed() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    let epoch = claim(&world, id, 0).await.unwrap().row.epoch;
    let wait = Settlement::Unknown { until: later(1), message: String::new() };
    transact!(world.store, "test", tx => outbox::settle(tx, world.project, id, epoch, &wait, NOW).await).unwrap();
    assert!(claim(&world, id, epoch).await.is_none());
    let due = DueOutbox { project_id: world.project, id, epoch };
    let claimed = transact!(world.store, "test", tx => outbox::claim(tx, due, "node", later(1)).await).unwrap();
    assert!(claimed.is_some());
}

#[tokio::test]
async fn duplicate_source_key_is_a_conflict() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    world.intent(conversation, "effect 1").await.unwrap();
    let again = world.intent(world.conversation().await, "effect 1").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let mut reader = world.store.read().await.unwrap();
    let known = |key: &'static str| (key, key == "effect 1");
    for (key, expected) in [known("effect 1"), known("effect 2")] {
        assert_eq!(outbox::is_known(&mut reader.conn(), world.project, key).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn claim_of_a_queued_row_alone_counts_an_attempt() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    // The state before, the state that the claim reports, and the state after it.
    let cases = [
        (None, "queued", "sending", 1),
        (Some(OutboxState::Sending), "sending", "sending", 1),
        (Some(OutboxState::Unknown), "unknown", "unknown", 1),
        (Some(OutboxState::Queued), "queued", "sending", 2),
    ];
    for (epoch, (left, was, becomes, attempt)) in cases.into_iter().enumerate() {
        if let Some(state) = left {
            settle(&world, id, epoch as i64, state).await.unwrap();
        }
        let claimed = claim(&world, id, epoch as i64).await.unwrap();
        assert_eq!((claimed.was.as_str(), claimed.row.state.as_str(), claimed.row.attempt), (was, becomes, attempt));
        assert_eq!(claimed.row.epoch, epoch as i64 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_concurrent_claims_succeeds() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    let due = DueOutbox { project_id: world.project, id, epoch: 0 };
    let store = world.store.clone();
    let claims = at_once(32, |_| {
        let store = store.clone();
        async move { transact!(store, "test", tx => outbox::claim(tx, due, "node", NOW).await).expect("an answer") }
    })
    .await;
    assert_eq!(claims.into_iter().flatten().map(|claimed| claimed.row.attempt).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn worker_with_a_stale_epoch_cannot_settle() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    claim(&world, id, 0).await.unwrap();
    assert!(claim(&world, id, 1).await.is_none(), "another worker has the lease");
    world.execute("UPDATE outbox SET lease_until = 1").await;
    claim(&world, id, 1).await.unwrap();

    let stale = settle(&world, id, 1, OutboxState::Accepted).await;
    assert!(matches!(stale, Err(Error::StaleEpoch)), "{stale:?}");
    assert_eq!(settle(&world, id, 2, OutboxState::Accepted).await.unwrap().state, OutboxState::Accepted);
    let again = settle(&world, id, 2, OutboxState::Failed).await;
    assert!(matches!(again, Err(Error::StaleEpoch)), "settled is settled: {again:?}");
}

#[tokio::test]
async fn row_of_a_voided_lease_is_settled_under_a_new_epoch() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    claim(&world, id, 0).await.unwrap();
    transact!(world.store, "test", tx => unscoped::void_all_leases(tx).await).unwrap();
    let stale = settle(&world, id, 1, OutboxState::Accepted).await;
    assert!(matches!(stale, Err(Error::StaleEpoch)), "{stale:?}");
    let claimed = claim(&world, id, 2).await.unwrap();
    assert_eq!((claimed.was.as_str(), claimed.row.attempt), ("sending", 1), "an attempt may be under way");
}

#[tokio::test]
async fn restarted_node_voids_only_its_own_sends() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for owner in ["a/1", "ab/1"] {
        let id = world.intent(world.conversation().await, owner).await.unwrap();
        let due = DueOutbox { project_id: world.project, id, epoch: 0 };
        transact!(world.store, "test", tx => outbox::claim(tx, due, owner, NOW).await).unwrap().unwrap();
        ids.push(id);
    }
    transact!(world.store, "test", tx => unscoped::void_leases_of(tx, "a/").await).unwrap();
    assert_eq!(due(&world).await, [ids[0]]);
    let stale = settle(&world, ids[0], 1, OutboxState::Accepted).await;
    assert!(matches!(stale, Err(Error::StaleEpoch)), "{stale:?}");
    assert_eq!(claim(&world, ids[0], 2).await.unwrap().was, OutboxState::Sending);
    assert_eq!(settle(&world, ids[1], 1, OutboxState::Accepted).await.unwrap().state, OutboxState::Accepted);
}

#[tokio::test]
async fn renewal_extends_an_active_lease_of_its_epoch_only() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    claim(&world, id, 0).await.unwrap();
    world.execute("UPDATE outbox SET lease_until = lease_until - 5000000").await;
    let until = || world.number("SELECT lease_until FROM outbox");
    let renew = async |epoch: i64| {
        transact!(world.store, "test", tx => outbox::renew(tx, world.project, id, epoch).await).expect("an answer")
    };
    let first = until().await;
    assert_eq!((renew(2).await, until().await), (false, first));
    assert!(renew(1).await);
    assert!(until().await > first + domain::Span::from_secs(4).micros());

    world.execute("UPDATE outbox SET lease_until = 1").await;
    assert_eq!((renew(1).await, until().await), (false, 1));
    claim(&world, id, 1).await.unwrap();
    settle(&world, id, 2, OutboxState::Accepted).await.unwrap();
    assert_eq!((renew(2).await, until().await), (false, 0), "a settled row has no lease");
}

#[tokio::test]
async fn open_attempt_renews_an_expired_lease() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    let first = claim(&world, id, 0).await.unwrap().row;
    let hold_on = async |row: &outbox::OutboxRow| {
        transact!(world.store, "test", tx => outbox::hold_on(tx, world.project, row).await).expect("an answer")
    };
    // The lease has expired and the row was not reclaimed.
    world.execute("UPDATE outbox SET lease_until = 1").await;
    assert!(hold_on(&first).await);
    assert!(claim(&world, id, 1).await.is_none(), "it is held again");
    world.execute("UPDATE outbox SET lease_until = 1").await;
    assert_eq!(claim(&world, id, 1).await.unwrap().was, OutboxState::Sending);
    assert!(!hold_on(&first).await, "another worker has reclaimed it");
}

#[tokio::test]
async fn first_reported_message_id_is_kept() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    claim(&world, id, 0).await.unwrap();
    for wamid in ["wamid.1", "wamid.2"] {
        let row =
            transact!(world.store, "test", tx => outbox::note_wamid(tx, world.project, id, wamid, NOW).await).unwrap();
        assert_eq!(row.unwrap().wamid.as_deref(), Some("wamid.1"));
    }
    // A repeated attempt that is accepted later is a second copy; the first one's statuses count.
    let second = Settlement::Accepted { wamid: "wamid.3".into() };
    let row =
        transact!(world.store, "test", tx => outbox::settle(tx, world.project, id, 1, &second, NOW).await).unwrap();
    assert_eq!(row.wamid.as_deref(), Some("wamid.1"));
    let unknown = crate::support::fresh();
    let none =
        transact!(world.store, "test", tx => outbox::note_wamid(tx, world.project, unknown, "x", NOW).await).unwrap();
    assert!(none.is_none());
}

#[tokio::test]
async fn attempt_is_stored_once_and_ends_once() {
    let world = World::new().await;
    let id = world.intent(world.conversation().await, "a").await.unwrap();
    let row = claim(&world, id, 0).await.unwrap().row;
    transact!(world.store, "test", tx => outbox::begin_attempt(tx, world.project, &row, "o1", NOW).await).unwrap();
    let twice = transact!(world.store, "test", tx => outbox::begin_attempt(tx, world.project, &row, "o1", NOW).await);
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
    for (seconds, end) in [(1, Settlement::Accepted { wamid: "x".into() }), (2, Settlement::Unconfirmed)] {
        transact!(world.store, "test", tx => outbox::end_attempt(tx, world.project, &row, &end, later(seconds)).await)
            .unwrap();
    }
    assert_eq!(world.number("SELECT ended_at FROM outbox_attempts").await, later(1).micros());
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(outbox::attempts(&mut reader.conn(), world.project, id).await.unwrap(), 1);
}
