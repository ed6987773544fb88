//! Messages: their order, and statuses that arrive late and out of order.

use crate::support::{NOW, World, fresh, later};
use domain::message::{Delivery, Direction, MessageOrigin};
use store::{
    messages::{self, NewMessage, StatusChange},
    transact,
};

#[tokio::test]
async fn status_moves_a_message_forward_only() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let cases: [(&[Delivery], &str); 6] = [
        (&[], "pending"),
        (&[Delivery::Sent, Delivery::Delivered, Delivery::Read], "read"),
        (&[Delivery::Read, Delivery::Delivered, Delivery::Sent], "read"),
        (&[Delivery::Delivered, Delivery::Failed], "delivered"),
        (&[Delivery::Failed, Delivery::Sent], "failed"),
        (&[Delivery::Failed, Delivery::Delivered], "delivered"),
    ];
    for (told, expected) in cases {
        let id = world.message(conversation, Direction::Outbound).await;
        for to in told {
            let change = StatusChange { to: *to, at: later(1), error: None, wamid: Some("wamid.1"), now: later(2) };
            transact!(world.store, "test", tx => messages::advance(tx, world.project, id, &change).await).unwrap();
        }
        let mut reader = world.store.read().await.unwrap();
        let row = messages::find(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
        assert_eq!(row.status.as_str(), expected, "{told:?}");
    }
}

#[tokio::test]
async fn first_time_and_id_of_each_status_are_kept() {
    let world = World::new().await;
    let id = world.message(world.conversation().await, Direction::Outbound).await;
    for (to, seconds, wamid) in
        [(Delivery::Delivered, 5, "first"), (Delivery::Sent, 3, "second"), (Delivery::Delivered, 7, "third")]
    {
        let change = StatusChange { to, at: later(seconds), error: None, wamid: Some(wamid), now: later(9) };
        transact!(world.store, "test", tx => messages::advance(tx, world.project, id, &change).await).unwrap();
    }
    assert_eq!(world.number("SELECT delivered_at FROM messages").await, later(5).micros());
    assert_eq!(world.number("SELECT sent_at FROM messages").await, later(3).micros());
    let mut reader = world.store.read().await.unwrap();
    let row = messages::find(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
    assert_eq!((row.wamid.as_deref(), row.updated_at), (Some("first"), later(9)));
}

#[tokio::test]
async fn messages_are_listed_newest_first() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let mut ids = Vec::new();
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Inbound] {
        ids.push(world.message(conversation, direction).await);
    }
    world.message(world.conversation().await, Direction::Inbound).await;
    ids.reverse();
    let mut reader = world.store.read().await.unwrap();
    let (rows, total) = messages::list(&mut reader.conn(), world.project, conversation, 2, 0).await.unwrap();
    assert_eq!((rows.iter().map(|row| row.id).collect::<Vec<_>>(), total), (ids[..2].to_vec(), 3));
    assert_eq!((rows[0].status.as_str(), rows[0].created_at), ("received", NOW));
}

#[tokio::test]
async fn inbound_messages_are_marked_read_up_to_a_message_once() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    let first = world.message(conversation, Direction::Inbound).await;
    let ours = world.message(conversation, Direction::Outbound).await;
    let second = world.message(conversation, Direction::Inbound).await;
    let third = world.message(conversation, Direction::Inbound).await;
    let read = async |id| {
        transact!(world.store, "test", tx => messages::read(tx, world.project, conversation, id, later(5)).await)
            .unwrap()
    };
    assert_eq!((read(second).await, read(second).await, read(first).await), (2, 0, 0));
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    for (id, status) in [(first, "read"), (ours, "pending"), (second, "read"), (third, "received")] {
        assert_eq!(messages::find(conn, world.project, id).await.unwrap().unwrap().status.as_str(), status);
    }
}

#[tokio::test]
async fn conversation_of_over_a_thousand_messages_is_read_completely() {
    let world = World::new().await;
    let conversation = world.conversation().await;
    transact!(world.store, "test", tx => {
        for seq in 1..=2_001 {
            messages::insert(tx, world.project, conversation, &NewMessage { id: fresh(), seq, direction: Direction::Inbound, origin: MessageOrigin::Contact, author: None, kind: "text", content: &seq.to_string(), raw: None,
                wamid: None, wa_timestamp: None, execution: None, now: NOW }).await?;
        }
        Ok::<_, store::Error>(())
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    for until in [i64::MAX, 1_000, 999] {
        let rows = messages::in_order(&mut reader.conn(), world.project, conversation, until).await.unwrap();
        let (first, last) = (&rows[0].content, &rows[rows.len() - 1].content);
        assert_eq!((first.as_str(), last.parse()), ("1", Ok(until.min(2_001))));
        assert_eq!(rows.len() as i64, until.min(2_001));
    }
}
