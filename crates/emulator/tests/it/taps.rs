use serde_json::{Value, json};

use crate::harness::{ANA, Bench, fixture};

async fn sent(bench: &Bench, example: &str) -> String {
    bench.send(&fixture(example)["request"]["json"]).await.wamid()
}

fn last(bench: &Bench) -> Value {
    bench.callback.received().last().unwrap().value()["messages"][0].clone()
}

#[tokio::test]
async fn what_is_tapped_comes_as_the_fixtures_have_it() {
    let bench = Bench::open().await;
    bench.put("/limits", json!({"pair_rate": false})).await;
    let buttons = sent(&bench, "ex-016-buttons").await;
    let list = sent(&bench, "ex-017-list").await;
    let promo = sent(&bench, "ex-024-template-media-buttons").await;
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
        let answer = bench.post("/inbound", tap).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let got = last(&bench);
        assert_eq!((&got["type"], &got[kind]), (&json!(kind), &node), "{choice}");
        assert_eq!(got["context"], json!({"from": "15550001111", "id": message}), "{choice}");
    }
    let wrong = bench.post("/inbound", json!({"from": "ana", "reply_to": buttons, "tap": "nothing"})).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(bench.post("/inbound", json!({"from": "ana", "tap": "x"})).await.status, 400);
}

#[tokio::test]
async fn a_tap_on_what_is_not_there_needs_force() {
    let bench = Bench::open().await;
    let buttons = sent(&bench, "ex-016-buttons").await;
    let tap = |id: &str| {
        json!({"from": "ana", "type": "interactive", "reply_to": buttons,
            "interactive": {"type": "button_reply", "button_reply": {"id": id, "title": "x"}}})
    };
    assert_eq!(bench.post("/inbound", tap("opt:0")).await.status, 200);
    assert_eq!(bench.post("/inbound", tap("opt:9")).await.status, 400);
    let mut forced = tap("opt:9");
    forced["force"] = json!(true);
    assert_eq!(bench.post("/inbound", forced).await.status, 200);
    let flow = json!({"from": "ana", "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": "{}"}}});
    assert_eq!(bench.post("/inbound", flow).await.status, 200);
}

#[tokio::test]
async fn a_person_reacts_edits_deletes_and_sends_a_place() {
    let bench = Bench::open().await;
    let ours = bench.text(ANA, "hi").await.wamid();
    bench.post("/users/ana/react", json!({"message_id": ours, "emoji": "🎉"})).await;
    assert_eq!(last(&bench)["reaction"], json!({"message_id": ours, "emoji": "🎉"}));
    assert_eq!(bench.chat("ana").await["messages"][1]["reactions"][0]["emoji"], "🎉");
    let own = bench.says("ana", "helo").await;
    bench.post("/users/ana/edit", json!({"message_id": own, "text": "hello"})).await;
    let edit = last(&bench)["edit"].clone();
    assert_eq!(edit, json!({"original_message_id": own, "message": {"type": "text", "text": {"body": "hello"}}}));
    assert_eq!(bench.chat("ana").await["messages"][2]["content"]["body"], "hello");
    bench.post("/users/ana/delete", json!({"message_id": own})).await;
    assert_eq!(last(&bench)["revoke"], json!({"original_message_id": own}));
    assert_eq!(bench.chat("ana").await["messages"][2]["type"], "deleted");
    assert_eq!(bench.post("/users/ana/delete", json!({"message_id": ours})).await.status, 400);
    let place = json!({"latitude": -23.5, "longitude": -46.6, "name": "Loja"});
    bench.post("/inbound", json!({"from": "ana", "type": "location", "location": place})).await;
    assert_eq!(last(&bench)["location"], place);
}

#[tokio::test]
async fn a_person_takes_another_number_and_is_reached_there() {
    let bench = Bench::open().await;
    bench.post("/users/ana/change_number", json!({"wa_id": "5521988887777"})).await;
    let told = last(&bench);
    assert_eq!((&told["type"], &told["system"]["wa_id"]), (&json!("system"), &json!("5521988887777")));
    assert_eq!(told["system"]["type"], "user_changed_number");
    assert_eq!(told["from"], ANA, "told from the old number");
    let answer = bench.text("5521988887777", "hi").await;
    assert_eq!(answer.json()["contacts"][0]["wa_id"], "5521988887777");
    assert_eq!(bench.sent_to("ana").await, ["hi"]);
}
