//! Conversation rows: creation, sequence numbers, lists.

use crate::support::{NOW, World, at_once, fresh, later, touch};
use std::collections::HashSet;
use store::{
    conversations,
    conversations::{Filter, Touch},
    transact,
};

/// An album of a new customer: ten webhooks at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_first_messages_share_one_conversation_with_distinct_places() {
    let world = World::new().await;
    let (store, project, contact) = (world.store.clone(), world.project, world.contact().await);
    let rows = at_once(10, |_| {
        let (store, touch) = (store.clone(), touch(contact));
        async move { transact!(store, "test", tx => conversations::touch(tx, project, &touch).await).expect("a row") }
    })
    .await;
    assert_eq!(rows.iter().map(|row| row.id).collect::<HashSet<_>>().len(), 1);
    let mut places: Vec<_> = rows.iter().map(|row| row.next_seq).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn late_message_does_not_shorten_the_service_window() {
    let world = World::new().await;
    let contact = world.contact().await;
    for (inbound_at, expected) in [(Some(later(60)), 60), (Some(NOW), 60), (None, 60), (Some(later(90)), 90)] {
        let touch = Touch { inbound_at, ..touch(contact) };
        let row = transact!(world.store, "test", tx => conversations::touch(tx, world.project, &touch).await).unwrap();
        assert_eq!(row.last_inbound_at, Some(later(expected)));
    }
}

#[tokio::test]
async fn message_sets_clears_or_keeps_the_agent() {
    let world = World::new().await;
    let (contact, agent) = (world.contact().await, fresh());
    for (named, answers) in [(Some(Some(agent)), Some(agent)), (None, Some(agent)), (Some(None), None), (None, None)] {
        let touch = Touch { agent: named, ..touch(contact) };
        let row = transact!(world.store, "test", tx => conversations::touch(tx, world.project, &touch).await).unwrap();
        assert_eq!(row.agent_id, answers);
    }
}

#[tokio::test]
async fn conversations_are_listed_by_latest_activity_with_total() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for (seconds, phone) in [(1, "+15550001"), (3, "+15550003"), (2, "+15550002")] {
        let touch = Touch { now: later(seconds), phone_number: Some(phone), ..touch(world.contact().await) };
        let row = transact!(world.store, "test", tx => conversations::touch(tx, world.project, &touch).await).unwrap();
        ids.push(row.id);
    }
    let newest_first = [ids[1], ids[2], ids[0]];
    let cases = [
        (Filter::default(), newest_first.to_vec()),
        (Filter { status: Some("active".into()), ..Filter::default() }, newest_first.to_vec()),
        (Filter { status: Some("ended".into()), ..Filter::default() }, vec![]),
        (Filter { active_from: Some(later(2)), ..Filter::default() }, vec![ids[1], ids[2]]),
        (Filter { active_to: Some(later(2)), ..Filter::default() }, vec![ids[2], ids[0]]),
        (Filter { phone_number: Some("+15550002".into()), ..Filter::default() }, vec![ids[2]]),
    ];
    let mut reader = world.store.read().await.unwrap();
    for (filter, expected) in cases {
        let (rows, total) = conversations::list(&mut reader.conn(), world.project, &filter, 10, 0).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!((found, total), (expected.clone(), expected.len() as i64), "{filter:?}");
    }
    let (rows, total) = conversations::list(&mut reader.conn(), world.project, &Filter::default(), 1, 1).await.unwrap();
    assert_eq!((rows[0].id, rows.len(), total), (ids[2], 1, 3));
}
