use serde_json::{Value, json};

use crate::harness::{ANA, Harness, fixture};

async fn sent(harness: &Harness, example: &str) -> String {
    harness.send(&fixture(example)["request"]["json"]).await.wamid()
}

fn last(harness: &Harness) -> Value {
    harness.callback.received().last().unwrap().value()["messages"][0].clone()
}

#[tokio::test]
async fn taps_match_fixtures() {
    let harness = Harness::open().await;
    harness.put("/limits", json!({"pair_rate": false})).await;
    let buttons = sent(&harness, "ex-016-buttons").await;
    let list = sent(&harness, "ex-017-list").await;
    let promo = sent(&harness, "ex-024-template-media-buttons").await;
    for (message, choice, kind, node) in [
        (
            &buttons,
            "opt:1",
            "interactive",
            json!({"type": "button_reply", "button_reply": {"id": "opt:1", "title": "Troca"}}),
        ),
        (
            &buttons,
            "Humano",
            "interactive",
            json!({"type": "button_reply", "button_reply": {"id": "opt:2", "title": "Humano"}}),
        ),
        (
            &list,
            "row:1",
            "interactive",
            json!({"type": "list_reply", "list_reply": {"id": "row:1", "title": "Rastrear", "description": "Onde está"}}),
        ),
        (&promo, "STOP", "button", json!({"payload": "STOP", "text": "Sair"})),
    ] {
        let tap = json!({"from": "ana", "reply_to": message, "tap": choice});
        let answer = harness.post("/inbound", tap).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let got = last(&harness);
        assert_eq!((&got["type"], &got[kind]), (&json!(kind), &node), "{choice}");
        assert_eq!(got["context"], json!({"from": "15550001111", "id": message}), "{choice}");
    }
    let wrong = harness.post("/inbound", json!({"from": "ana", "reply_to": buttons, "tap": "nothing"})).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(harness.post("/inbound", json!({"from": "ana", "tap": "x"})).await.status, 400);
}

#[tokio::test]
async fn tap_on_missing_choice_needs_force() {
    let harness = Harness::open().await;
    let buttons = sent(&harness, "ex-016-buttons").await;
    let tap = |id: &str| {
        json!({"from": "ana", "type": "interactive", "reply_to": buttons,
            "interactive": {"type": "button_reply", "button_reply": {"id": id, "title": "x"}}})
    };
    assert_eq!(harness.post("/inbound", tap("opt:0")).await.status, 200);
    assert_eq!(harness.post("/inbound", tap("opt:9")).await.status, 400);
    let mut forced = tap("opt:9");
    forced["force"] = json!(true);
    assert_eq!(harness.post("/inbound", forced).await.status, 200);
    let flow = json!({"from": "ana", "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "{}"}}});
    assert_eq!(harness.post("/inbound", flow).await.status, 200);
}

#[tokio::test]
async fn contact_can_react_edit_delete_and_send_a_location() {
    let harness = Harness::open().await;
    let ours = harness.text(ANA, "hi").await.wamid();
    harness.post("/users/ana/react", json!({"message_id": ours, "emoji": "🎉"})).await;
    assert_eq!(last(&harness)["reaction"], json!({"message_id": ours, "emoji": "🎉"}));
    assert_eq!(harness.chat("ana").await["messages"][1]["reactions"][0]["emoji"], "🎉");
    let own = harness.contact_sends("ana", "helo").await;
    harness.post("/users/ana/edit", json!({"message_id": own, "text": "hello"})).await;
    let edit = last(&harness)["edit"].clone();
    assert_eq!(edit, json!({"original_message_id": own, "message": {"type": "text", "text": {"body": "hello"}}}));
    let shown = harness.chat("ana").await["messages"][2].clone();
    assert_eq!((&shown["content"]["body"], &shown["edited"]), (&json!("hello"), &json!(true)));
    harness.post("/users/ana/delete", json!({"message_id": own})).await;
    assert_eq!(last(&harness)["revoke"], json!({"original_message_id": own}));
    assert_eq!(harness.chat("ana").await["messages"][2]["type"], "deleted");
    assert_eq!(harness.post("/users/ana/delete", json!({"message_id": ours})).await.status, 400);
    let place = json!({"latitude": -23.5, "longitude": -46.6, "name": "Loja"});
    harness.post("/inbound", json!({"from": "ana", "type": "location", "location": place})).await;
    assert_eq!(last(&harness)["location"], place);
}

#[tokio::test]
async fn edit_of_a_caption_keeps_the_file() {
    let harness = Harness::open().await;
    let image = json!({"id": "7", "caption": "my sofa", "mime_type": "image/png"});
    harness.post("/inbound", json!({"from": "ana", "type": "image", "image": image})).await;
    let own = last(&harness)["id"].clone();
    assert_eq!(harness.post("/users/ana/edit", json!({"message_id": own, "text": "my bed"})).await.status, 200);
    let edited = last(&harness)["edit"]["message"].clone();
    assert_eq!((&edited["type"], &edited["image"]["caption"]), (&json!("image"), &json!("my bed")));
    assert_eq!((&edited["image"]["id"], &edited["image"]["mime_type"]), (&json!("7"), &json!("image/png")));
    let place = json!({"latitude": -23.5, "longitude": -46.6});
    harness.post("/inbound", json!({"from": "ana", "type": "location", "location": place})).await;
    let place = last(&harness)["id"].clone();
    assert_eq!(harness.post("/users/ana/edit", json!({"message_id": place, "text": "x"})).await.status, 400);
}

#[tokio::test]
async fn contact_edits_for_15_minutes_and_deletes_for_two_days_and_once() {
    const MINUTE: u64 = 60_000;
    let harness = Harness::open().await;
    let own = harness.contact_sends("ana", "one").await;
    let edit = json!({"message_id": own, "text": "two"});
    harness.post("/clock", json!({"advance_ms": 15 * MINUTE})).await;
    assert_eq!(harness.post("/users/ana/edit", edit.clone()).await.status, 200);
    harness.post("/clock", json!({"advance_ms": 1})).await;
    assert_eq!(harness.post("/users/ana/edit", edit.clone()).await.status, 400);
    let late = harness.contact_sends("ana", "three").await;
    let delete = |id: &str| json!({"message_id": id});
    assert_eq!(harness.post("/users/ana/delete", delete(&own)).await.status, 200);
    assert_eq!(harness.post("/users/ana/delete", delete(&own)).await.status, 400);
    assert_eq!(harness.post("/users/ana/edit", edit).await.status, 400);
    harness.post("/clock", json!({"advance_ms": 2 * 24 * 60 * MINUTE + 1})).await;
    assert_eq!(harness.post("/users/ana/delete", delete(&late)).await.status, 400);
    assert_eq!(harness.chat("ana").await["messages"][2]["content"]["body"], "three");
}

#[tokio::test]
async fn contact_who_changes_number_is_reached_at_the_new_one() {
    let harness = Harness::open().await;
    harness.post("/users/ana/change_number", json!({"wa_id": "5521988887777"})).await;
    let webhook = last(&harness);
    assert_eq!((&webhook["type"], &webhook["system"]["wa_id"]), (&json!("system"), &json!("5521988887777")));
    assert_eq!(webhook["system"]["type"], "user_changed_number");
    assert_eq!(webhook["from"], ANA, "the system message comes from the old number");
    let answer = harness.text("5521988887777", "hi").await;
    assert_eq!(answer.json()["contacts"][0]["wa_id"], "5521988887777");
    assert_eq!(harness.sent_to("ana").await, ["hi"]);
}
