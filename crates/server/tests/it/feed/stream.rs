//! Delivery, resumption and isolation of streams.

use super::{
    append,
    client::{Client, Message},
};
use domain::{Span, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use store::unscoped;
use testkit::{ANA, TestApp};
use uuid::Uuid;

fn object(message: &Message) -> Uuid {
    message.data["object_id"].as_str().unwrap().parse().unwrap()
}

async fn database_time(app: &TestApp) -> Timestamp {
    let mut reader = app.app.context().store.read().await.unwrap();
    unscoped::database_time(&mut reader.conn()).await.unwrap()
}

#[tokio::test]
async fn message_of_a_contact_reaches_the_stream() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let mut client = Client::open(&app).await;
    app.model().says("Yes?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let received = client.change("message.received").await;
    let stored = app.messages().await.into_iter().rev().find(|message| message["direction"] == "inbound").unwrap();
    assert_eq!(received.data["object_id"], stored["id"]);
    assert_eq!(received.data["conversation_id"], *app.conversation().await);
    assert_eq!(received.data["at"], Value::from(app.clock.now().to_iso()));
    app.forward(Span::from_secs(5)).await;
    let status = client.change("message.status").await;
    assert_eq!(status.data["conversation_id"], received.data["conversation_id"]);
}

#[tokio::test]
async fn stream_shows_only_its_own_project() {
    let mut app = TestApp::start().await;
    let mine = app.project;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, foreign_key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let mut client = Client::open(&app).await;
    app.key = foreign_key;
    let mut foreign = Client::open(&app).await;
    for round in 0..3 {
        let (own, theirs) = (Uuid::from_u128(round), Uuid::from_u128(100 + round));
        append(&app.app, mine, own).await;
        append(&app.app, other, theirs).await;
        assert_eq!(object(&client.next().await), own);
        assert_eq!(object(&foreign.next().await), theirs);
    }
    let listed = app.get("/api/v1/events?after=1").await;
    assert_eq!(listed.body["data"], json!([]));
}

#[tokio::test]
async fn stream_resumes_after_last_event_id() {
    let app = TestApp::start().await;
    let ids: Vec<Uuid> = (1..=6).map(Uuid::from_u128).collect();
    let mut client = Client::open(&app).await;
    append(&app.app, app.project, ids[0]).await;
    let first = client.next().await;
    assert_eq!(object(&first), ids[0]);
    drop(client);
    for id in &ids[1..4] {
        append(&app.app, app.project, *id).await;
    }
    let place = first.id.unwrap();
    let mut again = Client::after(&app, &place).await;
    append(&app.app, app.project, ids[4]).await;
    // The first event is within the look-back, so it comes again.
    for id in &ids[..5] {
        assert_eq!(object(&again.next().await), *id);
    }
    append(&app.app, app.project, ids[5]).await;
    assert_eq!(object(&again.next().await), ids[5]);

    let by_parameter = format!("/api/v1/events?after={place}");
    let mut third = Client::of(app.request(reqwest::Method::GET, &by_parameter)).await;
    assert_eq!(object(&third.next().await), ids[0]);
    let listed = app.get(&by_parameter).await;
    let listed_ids: Vec<Uuid> = listed
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["object_id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(listed_ids, ids);
    assert_eq!(listed.body["meta"]["reset"], false);
    let cursor = listed.body["meta"]["cursor"].as_str().unwrap();
    assert!(i64::from_str_radix(cursor, 16).unwrap() > i64::from_str_radix(&place, 16).unwrap());
}

#[tokio::test]
async fn client_that_received_only_hello_misses_nothing() {
    let app = TestApp::start().await;
    let hello = app.get("/api/v1/events").await;
    assert_eq!(hello.body["data"], json!([]));
    append(&app.app, app.project, Uuid::from_u128(1)).await;
    let mut client = Client::after(&app, hello.body["meta"]["cursor"].as_str().unwrap()).await;
    assert_eq!(object(&client.next().await), Uuid::from_u128(1));
}

#[tokio::test]
async fn old_unknown_and_future_cursors_reset() {
    let app = TestApp::start().await;
    append(&app.app, app.project, Uuid::from_u128(1)).await;
    let now = database_time(&app).await;
    let cursor = |time: Timestamp| format!("{:x}", time.micros());
    let too_old = cursor(now - Span::from_hours(24));
    for wrong in ["7", "zzz", "-1", &too_old, &cursor(now + Span::from_mins(5))] {
        let mut client = Client::after(&app, wrong).await;
        let reset = client.next().await;
        assert_eq!((reset.name.as_str(), reset.id.is_some()), ("reset", true), "{wrong}");
        append(&app.app, app.project, Uuid::from_u128(2)).await;
        assert_eq!(object(&client.next().await), Uuid::from_u128(2), "the stream continues from now on");
        assert_eq!(app.get(&format!("/api/v1/events?after={wrong}")).await.body["meta"]["reset"], true);
    }
    let mut client = Client::after(&app, &cursor(now - Span::from_hours(23))).await;
    assert_eq!(object(&client.next().await), Uuid::from_u128(1));
}

#[tokio::test]
async fn client_more_than_a_thousand_events_behind_is_reset() {
    let app = TestApp::start().await;
    let cursor = app.get("/api/v1/events").await.body["meta"]["cursor"].as_str().unwrap().to_owned();
    for number in 0..1_000 {
        append(&app.app, app.project, Uuid::from_u128(number)).await;
    }
    let mut client = Client::after(&app, &cursor).await;
    for number in 0..1_000 {
        assert_eq!(object(&client.next().await), Uuid::from_u128(number));
    }
    append(&app.app, app.project, Uuid::from_u128(1_000)).await;
    assert_eq!(Client::after(&app, &cursor).await.next().await.name, "reset");
}

#[tokio::test]
async fn quiet_stream_sends_a_heartbeat_every_15_seconds() {
    let app = TestApp::start().await;
    let mut client = Client::open(&app).await;
    for _ in 0..2 {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(16)).await;
        tokio::time::resume();
        assert_eq!(client.read().await.unwrap().name, "heartbeat");
    }
    append(&app.app, app.project, Uuid::from_u128(1)).await;
    assert_eq!(object(&client.next().await), Uuid::from_u128(1));
}

#[tokio::test]
async fn stream_ends_when_the_server_stops() {
    let app = TestApp::start().await;
    let mut client = Client::open(&app).await;
    app.app.context().stopping.cancel();
    assert_eq!(client.read().await, None);
}
