use serde_json::json;

use crate::harness::{ANA, Harness};

#[tokio::test]
async fn contact_is_found_by_key_number_or_scoped_id() {
    let harness = Harness::start().await;
    for from in ["ana", ANA, "+55 11 99999-0001", "BR.1009000000000001"] {
        harness.contact_sends(from, "hi").await;
    }
    assert_eq!(harness.chat("ana").await["messages"].as_array().unwrap().len(), 4);
    assert_eq!(harness.callback.received().len(), 4);
}

#[tokio::test]
async fn unknown_number_becomes_a_contact_who_can_be_answered() {
    let harness = Harness::start().await;
    harness.text("15559998888", "no account yet").await.wamid();
    harness.seconds(10).await;
    assert_eq!(harness.callback.statuses(), ["failed"]);
    harness.contact_sends("+15559998888", "hello").await;
    harness.callback.forget();
    harness.text("15559998888", "welcome").await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
    let contact = harness.callback.received()[0].value()["contacts"][0].clone();
    assert_eq!(contact["wa_id"], "15559998888");
    assert!(contact["user_id"].as_str().unwrap().starts_with("US.1"));
    assert_eq!(harness.chat("15559998888").await["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn hidden_number_is_in_no_webhook() {
    let harness = Harness::start().await;
    harness.put("/users/ana", json!({"hide_phone": true, "username": "ana.s"})).await;
    harness.contact_sends("ana", "hi").await;
    harness.text(ANA, "hello").await.wamid();
    harness.seconds(1).await;
    let received = harness.callback.received();
    assert_eq!(received.len(), 3);
    let phone = ANA.as_bytes();
    assert!(received.iter().all(|r| !r.body.windows(phone.len()).any(|w| w == phone)));
    assert_eq!(received[0].value()["contacts"][0]["profile"]["username"], "ana.s");
}

#[tokio::test]
async fn changing_a_contact_keeps_absent_fields() {
    let harness = Harness::start().await;
    harness.put("/users/ana", json!({"auto_read_ms": 5, "dial_aliases": ["551199990001"]})).await;
    let ana = harness.put("/users/ana", json!({"auto_read_ms": null, "name": "Ana S."})).await.json();
    assert_eq!((&ana["auto_read_ms"], &ana["name"], &ana["wa_id"]), (&json!(null), &json!("Ana S."), &json!(ANA)));
    assert_eq!(ana["dial_aliases"], json!(["551199990001"]));
    let eve = harness.put("/users/34600111222", json!({"name": "Eve"})).await.json();
    assert_eq!((&eve["key"], &eve["wa_id"]), (&json!("34600111222"), &json!("34600111222")));
}

#[tokio::test]
async fn contact_can_read_only_delivered_messages() {
    let harness = Harness::open().await;
    let first = harness.text(ANA, "one").await.wamid();
    let second = harness.text(ANA, "two").await.wamid();
    let early = harness.post("/users/ana/read", json!({"message_id": second})).await;
    assert_eq!((early.status, &early.json()["error"]["code"]), (409, &json!("conflict")));
    harness.seconds(1).await;
    harness.callback.forget();
    harness.post("/users/ana/read", json!({"message_id": second})).await;
    assert_eq!(harness.callback.statuses(), ["read", "read"]);
    let ids: Vec<_> = harness.callback.received().iter().map(|r| r.value()["statuses"][0]["id"].clone()).collect();
    assert_eq!(ids, [json!(first), json!(second)]);
    let again = harness.post("/users/ana/read", json!({"message_id": second})).await;
    assert_eq!(again.json(), json!({"deliveries": []}));
}

#[tokio::test]
async fn inbound_message_keeps_type_context_and_given_id() {
    let harness = Harness::start().await;
    let ours = {
        harness.contact_sends("ana", "hi").await;
        harness.text(ANA, "choose").await.wamid()
    };
    harness.callback.forget();
    let tap = json!({"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}});
    let body = json!({"from": "ana", "type": "interactive", "interactive": tap, "reply_to": ours, "force": true, "id": "wamid.mine", "timestamp": 1_790_000_009, "referral": {"source_type": "ad"}});
    let answer = harness.post("/inbound", body.clone()).await.json();
    assert_eq!(answer["message_id"], "wamid.mine");
    let message = harness.callback.received()[0].value()["messages"][0].clone();
    assert_eq!(message["interactive"], tap);
    assert_eq!(message["context"], json!({"from": "15550001111", "id": ours}));
    assert_eq!((&message["timestamp"], &message["referral"]), (&json!("1790000009"), &json!({"source_type": "ad"})));
    assert_eq!(harness.post("/inbound", body).await.status, 409, "an id is used once");
    let system = json!({"from": "ana", "type": "system", "system": {"type": "user_changed_number", "body": "x"}});
    harness.post("/inbound", system).await;
    assert!(harness.callback.received()[1].value().get("contacts").is_none());
}

#[tokio::test]
async fn reaction_is_attached_to_its_message_and_can_be_removed() {
    let harness = Harness::open().await;
    let id = harness.text(ANA, "x").await.wamid();
    let react = async |emoji: &str| {
        let node = json!({"message_id": id, "emoji": emoji});
        harness.post("/inbound", json!({"from": "ana", "type": "reaction", "reaction": node})).await;
        harness.chat("ana").await["messages"][1]["reactions"].clone()
    };
    assert_eq!(react("👍").await, json!([{"from": "ana", "emoji": "👍"}]));
    assert_eq!(react("").await, json!([]));
    assert_eq!(harness.chat("ana").await["messages"].as_array().unwrap().len(), 2);
    assert_eq!(harness.callback.received().len(), 2);
}
