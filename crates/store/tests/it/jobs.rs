//! Work that must run later, once per key.

use crate::support::{NOW, World, at_once, fresh_uuid, later};
use store::{Error, jobs, jobs::JobRow, transact, unscoped, unscoped::DueRow};

async fn put(world: &World, key: &str, seconds: i64) -> DueRow {
    let id = fresh_uuid();
    transact!(world.store, "test", tx => jobs::put(tx, world.project, id, ("sync", key), "{}", later(seconds)).await)
        .expect("a job");
    DueRow { project_id: world.project, id }
}

async fn claim(world: &World, due: DueRow) -> Option<JobRow> {
    transact!(world.store, "test", tx => jobs::claim(tx, due, NOW).await).expect("an answer")
}

async fn due(world: &World) -> Vec<DueRow> {
    let mut reader = world.store.read().await.expect("a reader");
    unscoped::due_jobs(&mut reader.conn(), NOW, 10).await.expect("due jobs")
}

#[tokio::test]
async fn a_second_job_of_the_same_key_only_moves_the_first() {
    let world = World::new().await;
    let first = put(&world, "a", 0).await;
    put(&world, "a", 60).await;
    assert_eq!(due(&world).await, []);
    assert!(claim(&world, first).await.is_none(), "not due any more");
    put(&world, "a", -60).await;
    assert_eq!(due(&world).await, [first]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_workers_one_gets_the_job() {
    let world = World::new().await;
    let due_row = put(&world, "a", 0).await;
    let store = world.store.clone();
    let claims = at_once(16, |_| {
        let store = store.clone();
        async move { transact!(store, "test", tx => jobs::claim(tx, due_row, NOW).await).expect("an answer") }
    })
    .await;
    let won: Vec<_> = claims.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!((won[0].attempt, won[0].epoch), (1, 1));
    assert_eq!(due(&world).await, [], "a job that somebody holds is not due");
}

/// A worker that was away for longer than its lease must not commit its work a second time.
#[tokio::test]
async fn a_worker_that_lost_its_job_can_neither_finish_it_nor_put_it_back() {
    let world = World::new().await;
    let due_row = put(&world, "a", 0).await;
    let lost = claim(&world, due_row).await.unwrap();
    world.execute("UPDATE jobs SET lease_until = 1").await;
    let held = claim(&world, due_row).await.unwrap();
    assert_eq!((held.attempt, held.epoch), (2, 2));

    let finished = transact!(world.store, "test", tx => jobs::finish(tx, world.project, &lost).await);
    assert!(matches!(finished, Err(Error::StaleEpoch)), "{finished:?}");
    let put_back = transact!(world.store, "test", tx => jobs::again(tx, world.project, &lost, NOW, "x").await);
    assert!(matches!(put_back, Err(Error::StaleEpoch)), "{put_back:?}");
    assert_eq!(due(&world).await, [], "still held");

    transact!(world.store, "test", tx => jobs::finish(tx, world.project, &held).await).unwrap();
    assert_eq!(world.number("SELECT count(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn a_failed_job_comes_back_at_its_time() {
    let world = World::new().await;
    let due_row = put(&world, "a", 0).await;
    let job = claim(&world, due_row).await.unwrap();
    transact!(world.store, "test", tx => jobs::again(tx, world.project, &job, later(-1), "timeout").await).unwrap();
    assert_eq!(due(&world).await, [due_row]);
    assert_eq!(claim(&world, due_row).await.unwrap().attempt, 2);
}
