use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{ANA, Harness};

/// Reads `count` server-sent events.
async fn events(mut feed: reqwest::Response, count: usize) -> Vec<(String, Value)> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(5), feed.chunk()).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    let field =
        |event: &str, name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let parse = |event: &str| (field(event, "event:"), serde_json::from_str(&field(event, "data:")).unwrap());
    text.split_terminator("\n\n").map(parse).collect()
}

#[tokio::test]
async fn feed_streams_messages_statuses_and_typing() {
    let harness = Harness::start().await;
    let url = format!("{}/_emulator/v1/events", harness.emulator.url());
    let feed = harness.http.get(url).send().await.unwrap();
    let asked = harness.contact_sends("ana", "hi").await;
    let typing = json!({"messaging_product": "whatsapp", "status": "read", "message_id": asked, "typing_indicator": {"type": "text"}});
    harness.send(&typing).await;
    let id = harness.text(ANA, "hello").await.wamid();
    harness.seconds(30).await;
    let events = events(feed, 7).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["message", "status", "typing", "typing", "message", "status", "status"]);
    assert_eq!((&events[0].1["user"], &events[0].1["message"]["direction"]), (&json!("ana"), &json!("in")));
    assert_eq!((&events[2].1["typing"], &events[3].1["typing"]), (&json!(true), &json!(false)));
    assert_eq!(events[4].1["message"]["content"]["body"], "hello");
    assert_eq!((&events[6].1["message_id"], &events[6].1["status"]["status"]), (&json!(id), &json!("delivered")));
}

#[tokio::test]
async fn feed_ends_when_emulator_stops() {
    let harness = Harness::start().await;
    let url = format!("{}/_emulator/v1/events", harness.emulator.url());
    let feed = harness.http.get(url).send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), harness.emulator.shutdown()).await.unwrap();
    assert_eq!(feed.text().await.unwrap(), "");
}
