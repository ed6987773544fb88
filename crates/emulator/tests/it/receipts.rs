use serde_json::json;

use crate::harness::{ANA, Bench, fixture};

#[tokio::test]
async fn marking_a_message_as_read_marks_the_earlier_ones_too() {
    let bench = Bench::start().await;
    bench.says("ana", "one").await;
    let second = bench.says("ana", "two").await;
    bench.says("ana", "three").await;
    let mut body = fixture("ex-025-mark-read")["request"]["json"].clone();
    body["message_id"] = json!(second);
    let answer = bench.send(&body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"success": true})));
    let chat = bench.chat("ana").await;
    let read: Vec<bool> = (0..3).map(|n| chat["messages"][n]["statuses"][0]["status"] == "read").collect();
    assert_eq!(read, [true, true, false]);
    assert_eq!(chat["typing"], false);
}

#[tokio::test]
async fn typing_shows_for_25_seconds_or_until_a_message_comes() {
    let bench = Bench::start().await;
    let mut body = fixture("ex-026-typing")["request"]["json"].clone();
    body["message_id"] = json!(bench.says("ana", "hi").await);
    assert_eq!(bench.send(&body).await.json(), json!({"success": true}));
    assert_eq!(bench.chat("ana").await["typing"], true);
    bench.emulator.advance(24_999).await;
    assert_eq!(bench.chat("ana").await["typing"], true);
    bench.emulator.advance(1).await;
    assert_eq!(bench.chat("ana").await["typing"], false);
    bench.send(&body).await;
    bench.text(ANA, "x").await.wamid();
    assert_eq!(bench.chat("ana").await["typing"], false);
}

#[tokio::test]
async fn an_unknown_message_cannot_be_marked_as_read() {
    let bench = Bench::open().await;
    let ours = bench.text(ANA, "x").await.wamid();
    for id in ["wamid.unknown", ours.as_str()] {
        let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": id});
        let answer = bench.send(&body).await;
        assert_eq!((answer.status, answer.code()), (400, 131_009));
    }
}
