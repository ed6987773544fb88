//! Jobs, once per key.

use crate::support::{NOW, World, at_once, fresh_uuid, later};
use domain::job::JobKind;
use store::{
    Error,
    jobs::{self, JobRow, NewJob},
    transact,
    unscoped::{self, DueRow},
};

async fn put(world: &World, key: &str, seconds: i64) -> DueRow {
    let id = fresh_uuid();
    let job = NewJob { id, kind: JobKind::UploadExpire, key, payload: "{}", run_at: later(seconds) };
    transact!(world.store, "test", tx => jobs::put(&mut tx.scope(world.project, NOW), job).await).expect("a job");
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
async fn second_job_of_a_key_reschedules_the_first() {
    let world = World::new().await;
    let first = put(&world, "a", 0).await;
    put(&world, "a", 60).await;
    assert_eq!(due(&world).await, []);
    assert!(claim(&world, first).await.is_none(), "not due any more");
    put(&world, "a", -60).await;
    assert_eq!(due(&world).await, [first]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_workers_claims_the_job() {
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
    assert_eq!(due(&world).await, [], "a leased job is not due");
}

/// A worker whose lease has expired must not commit its work.
#[tokio::test]
async fn worker_with_a_stale_epoch_cannot_finish_or_reschedule_a_job() {
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
async fn failed_job_is_due_again_at_its_time() {
    let world = World::new().await;
    let due_row = put(&world, "a", 0).await;
    let job = claim(&world, due_row).await.unwrap();
    transact!(world.store, "test", tx => jobs::again(tx, world.project, &job, later(-1), "timeout").await).unwrap();
    assert_eq!(due(&world).await, [due_row]);
    assert_eq!(claim(&world, due_row).await.unwrap().attempt, 2);
}
