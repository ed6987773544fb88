//! Messages that a person writes on the shop's phone.

use serde_json::{Value, json};

use crate::harness::{Harness, blank, fixture};

/// Element of the last webhook.
fn last(harness: &Harness) -> Value {
    harness.callback.received().last().unwrap().value()["message_echoes"][0].clone()
}

#[tokio::test]
async fn echo_matches_its_fixture() {
    let harness = Harness::open().await;
    let answer = harness.post("/echo", json!({"to": "ana", "text": "respondi pelo celular"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut change = harness.callback.received().last().unwrap().json()["entry"][0]["changes"][0].clone();
    let mut expected = fixture("ac-019-smb-echo")["entry"][0]["changes"][0].clone();
    blank(&mut expected, &["id", "timestamp"]);
    blank(&mut change, &["id", "timestamp"]);
    // Meta's reference shows no contacts, and no user id.
    expected["value"].as_object_mut().unwrap().remove("contacts");
    change["value"]["message_echoes"][0].as_object_mut().unwrap().remove("to_user_id");
    assert_eq!(change, expected);
    let chat = harness.chat("ana").await;
    let shown = chat["messages"].as_array().unwrap().last().unwrap();
    assert_eq!((&shown["direction"], &shown["content"]["body"]), (&json!("out"), &json!("respondi pelo celular")));
}

#[tokio::test]
async fn edit_and_deletion_name_the_message_and_change_the_chat() {
    let harness = Harness::open().await;
    let first = harness.post("/echo", json!({"to": "ana", "text": "It costs 1"})).await.json();
    let first = first["message_id"].as_str().unwrap().to_owned();
    assert_eq!(harness.post("/echo", json!({"to": "ana", "edit": first, "text": "It costs 10"})).await.status, 200);
    let message = json!({"type": "text", "text": {"body": "It costs 10"}});
    let got = last(&harness);
    assert_eq!(got["type"], "edit");
    assert_eq!(got["edit"], json!({"original_message_id": first, "message": message}));
    assert_eq!(harness.post("/echo", json!({"to": "ana", "revoke": first})).await.status, 200);
    assert_eq!(last(&harness)["revoke"], json!({"original_message_id": first}));
    let chat = harness.chat("ana").await;
    assert_eq!(chat["messages"].as_array().unwrap().last().unwrap()["type"], "deleted");

    for refused in [
        json!({"to": "ana", "revoke": first}),
        json!({"to": "ana", "edit": "wamid.unknown", "text": "x"}),
        json!({"to": "ana"}),
        json!({"to": "ana", "txt": "x"}),
        json!({"to": "not a number", "text": "x"}),
    ] {
        let answer = harness.post("/echo", refused.clone()).await;
        assert!((400..500).contains(&answer.status), "{refused}: {}", answer.text);
    }
    let late = harness.post("/echo", json!({"to": "ana", "text": "late"})).await.json();
    harness.seconds(16 * 60).await;
    let edit = json!({"to": "ana", "edit": late["message_id"], "text": "too late"});
    assert_eq!(harness.post("/echo", edit).await.status, 400);
}
