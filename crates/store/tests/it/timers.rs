//! At most one timer for each execution.

use crate::support::{NOW, World, fresh, later};
use store::{timers, transact, unscoped, unscoped::DueRow};

#[tokio::test]
async fn new_timer_replaces_the_old_and_fires_once() {
    let world = World::new().await;
    let (project, ids) = (world.project, (fresh(), fresh()));
    let set = |kind: &'static str, generation, seconds| {
        let store = world.store.clone();
        async move {
            transact!(store, "test", tx => timers::set(tx, project, ids, (kind, generation), later(seconds)).await)
                .expect("set");
        }
    };
    let due = DueRow { project_id: project, id: ids.1.uuid() };
    set("warm_end", 1, 0).await;
    set("inactivity", 2, 60).await;
    let early = transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap();
    assert!(early.is_none(), "it was moved");
    set("inactivity", 3, 0).await;

    let mut reader = world.store.read().await.unwrap();
    assert_eq!(unscoped::due_timers(&mut reader.conn(), NOW, 10).await.unwrap(), [due]);
    let taken = transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap().unwrap();
    assert_eq!((taken.kind.as_str(), taken.generation, taken.execution_id), ("inactivity", 3, ids.1));
    assert!(transact!(world.store, "test", tx => timers::take(tx, due, NOW).await).unwrap().is_none());
}

#[tokio::test]
async fn cleared_timer_does_not_fire() {
    let world = World::new().await;
    let ids = (fresh(), fresh());
    transact!(world.store, "test", tx => {
        timers::set(tx, world.project, ids, ("warm_end", 1), NOW).await?;
        timers::clear(tx, world.project, ids.1).await
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(unscoped::due_timers(&mut reader.conn(), NOW, 10).await.unwrap(), []);
}
