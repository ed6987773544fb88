//! Webhook bodies kept as evidence, once a day.

use crate::support::{World, later};
use store::{transact, webhook_events};

#[tokio::test]
async fn equal_bodies_of_a_day_are_stored_once() {
    let world = World::new().await;
    for (body, hours) in [("a", 0), ("a", 1), ("b", 1), ("a", 48)] {
        let at = later(hours * 3_600);
        transact!(world.store, "test", tx => webhook_events::keep(tx, body.as_bytes(), body.as_bytes(), "unknown", at).await).unwrap();
    }
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(webhook_events::count(&mut reader.conn()).await.unwrap(), 3);
}
