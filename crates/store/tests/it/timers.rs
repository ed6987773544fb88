//! At most one timer for each execution.

use crate::support::{NOW, World, fresh, later};
use domain::{
    execution::TimerKind::{self, Inactivity, WarmEnd},
    ids::{ConversationId, ExecutionId},
};
use store::{
    timers::{self, TimerRow},
    transact,
    unscoped::{self, DueRow},
};

fn timer((conversation_id, execution_id): (ConversationId, ExecutionId), kind: TimerKind, generation: i64) -> TimerRow {
    TimerRow { kind, conversation_id, execution_id, generation }
}

#[tokio::test]
async fn new_timer_replaces_the_old_and_fires_once() {
    let world = World::new().await;
    let (project, ids) = (world.project, (fresh(), fresh()));
    let set = |kind, generation, seconds| {
        let store = world.store.clone();
        async move {
            transact!(store, "test", tx => timers::set(tx, project, &timer(ids, kind, generation), later(seconds)).await)
                .expect("set");
        }
    };
    let due = DueRow { project_id: project, id: ids.1.uuid() };
    set(WarmEnd, 1, 0).await;
    set(Inactivity, 2, 60).await;
    let early = transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap();
    assert!(early.is_none(), "it was moved");
    set(Inactivity, 3, 0).await;

    let mut reader = world.store.read().await.unwrap();
    assert_eq!(unscoped::due_timers(&mut reader.conn(), NOW, 10).await.unwrap(), [due]);
    let taken = transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap().unwrap();
    assert_eq!((taken.kind, taken.generation, taken.execution_id), (Inactivity, 3, ids.1));
    assert!(transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap().is_none());
}

#[tokio::test]
async fn cleared_timer_does_not_fire() {
    let world = World::new().await;
    let ids = (fresh(), fresh());
    transact!(world.store, "test", tx => {
        timers::set(tx, world.project, &timer(ids, WarmEnd, 1), NOW).await?;
        timers::clear(tx, world.project, ids.1).await
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(unscoped::due_timers(&mut reader.conn(), NOW, 10).await.unwrap(), []);
}
