use serde_json::json;

use crate::harness::{ANA, Harness, fixture};

#[tokio::test]
async fn marking_a_message_as_read_marks_earlier_ones() {
    let harness = Harness::start().await;
    harness.contact_sends("ana", "one").await;
    let second = harness.contact_sends("ana", "two").await;
    harness.contact_sends("ana", "three").await;
    let mut body = fixture("ex-025-mark-read")["request"]["json"].clone();
    body["message_id"] = json!(second);
    let answer = harness.send(&body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"success": true})));
    let chat = harness.chat("ana").await;
    let read: Vec<bool> = (0..3).map(|n| chat["messages"][n]["statuses"][0]["status"] == "read").collect();
    assert_eq!(read, [true, true, false]);
    assert_eq!(chat["typing"], false);
}

#[tokio::test]
async fn typing_ends_after_25_seconds_or_with_a_message() {
    let harness = Harness::start().await;
    let mut body = fixture("ex-026-typing")["request"]["json"].clone();
    body["message_id"] = json!(harness.contact_sends("ana", "hi").await);
    assert_eq!(harness.send(&body).await.json(), json!({"success": true}));
    assert_eq!(harness.chat("ana").await["typing"], true);
    harness.emulator.advance(24_999).await;
    assert_eq!(harness.chat("ana").await["typing"], true);
    harness.emulator.advance(1).await;
    assert_eq!(harness.chat("ana").await["typing"], false);
    harness.send(&body).await;
    harness.text(ANA, "x").await.wamid();
    assert_eq!(harness.chat("ana").await["typing"], false);
}

#[tokio::test]
async fn unknown_message_cannot_be_marked_as_read() {
    let harness = Harness::open().await;
    let ours = harness.text(ANA, "x").await.wamid();
    for id in ["wamid.unknown", ours.as_str()] {
        let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": id});
        let answer = harness.send(&body).await;
        assert_eq!((answer.status, answer.code()), (400, 131_009));
    }
}
