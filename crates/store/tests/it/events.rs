//! Events in the order of the database's clock, and their deletion.

use crate::support::{World, fresh, fresh_uuid, later};
use domain::{Span, Timestamp, event::Event, ids::ProjectId};
use store::{events, transact, unscoped};
use uuid::Uuid;

async fn append(world: &World, project: ProjectId, number: u128, seconds: i64) {
    let id = Uuid::from_u128(number);
    transact!(world.store, "test", tx => {
        events::append(&mut tx.scope(project, later(seconds)), id, Event::MessageMedia, fresh_uuid(), "{}").await
    })
    .expect("an event");
}

async fn database_time(world: &World) -> Timestamp {
    let mut reader = world.store.read().await.expect("a reader");
    unscoped::database_time(&mut reader.conn()).await.expect("the time")
}

#[tokio::test]
async fn events_are_in_the_order_of_the_databases_clock() {
    let world = World::new().await;
    let (mine, other) = (world.project, fresh());
    let began = database_time(&world).await;
    // The clocks of the nodes say otherwise.
    for (number, project, seconds) in [(5, mine, 9_000), (3, other, 0), (4, mine, -9_000), (1, mine, 0)] {
        append(&world, project, number, seconds).await;
    }
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    let numbers = |rows: &[events::EventRow]| rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>();
    let all = unscoped::events_after(conn, (began, Uuid::nil()), 10).await.unwrap();
    assert_eq!(numbers(&all), [5, 3, 4, 1]);
    assert!(all.iter().all(|row| row.recorded_at >= began && row.recorded_at - began < Span::from_secs(60)));
    let page = unscoped::events_after(conn, (all[1].recorded_at, all[1].id), 1).await.unwrap();
    assert_eq!(numbers(&page), [4]);
    assert_eq!(numbers(&events::since(conn, mine, began, 10).await.unwrap()), [5, 4, 1]);
    assert_eq!(numbers(&events::since(conn, mine, all[2].recorded_at, 1).await.unwrap()), [4]);
    assert_eq!(numbers(&events::since(conn, other, began, 10).await.unwrap()), [3]);
    assert!(events::since(conn, fresh(), began, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn old_events_are_deleted_in_steps_oldest_first() {
    let world = World::new().await;
    for number in 1..=5 {
        append(&world, if number % 2 == 0 { fresh() } else { world.project }, number, 0).await;
    }
    let before = database_time(&world).await;
    append(&world, world.project, 6, -900_000).await;
    let step =
        async || transact!(world.store, "test", tx => unscoped::delete_events_before(tx, before, 2).await).unwrap();
    let left = async || {
        let mut reader = world.store.read().await.unwrap();
        let from = (Timestamp::from_micros(0), Uuid::nil());
        let rows = unscoped::events_after(&mut reader.conn(), from, 10).await.unwrap();
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!((step().await, left().await), (2, vec![3, 4, 5, 6]));
    assert_eq!((step().await, left().await), (2, vec![5, 6]));
    assert_eq!((step().await, left().await), (1, vec![6]));
    assert_eq!((step().await, left().await), (0, vec![6]));
}
