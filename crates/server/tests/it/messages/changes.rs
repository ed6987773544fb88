//! Edits and deletions of messages by the contact (docs/inbound-messages.md).

use super::{talking, webhook};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{ANA, TestApp};

/// A text that must not be shown after its deletion.
const CANARY: &str = "my pin is canary 4711";
const BEN: &str = "+5511999990002";

/// Meta delivers a message of a phone, `at` seconds after the start.
async fn delivered(app: &TestApp, phone: &str, wamid: &str, at: i64, mut message: Value) {
    message["from"] = json!(phone.trim_start_matches('+'));
    message["id"] = json!(wamid);
    message["timestamp"] = json!((i64::try_from(emulator::START_SECONDS).unwrap() + at).to_string());
    webhook(app, emulator::PHONE_NUMBER_ID, "messages", json!({"messages": [message]})).await;
}

fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

fn edit(target: &str, body: &str) -> Value {
    json!({"type": "edit", "edit": {"original_message_id": target, "message": text(body)}})
}

fn revoke(target: &str) -> Value {
    json!({"type": "revoke", "revoke": {"original_message_id": target}})
}

/// An application with an agent that waits two seconds for further messages.
async fn patient() -> (TestApp, String, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Patient", "message_debounce_seconds": 2})).await;
    app.activate(ANA, &agent).await;
    let conversation = super::conversation(&app).await;
    (app, agent, format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"))
}

/// Stored messages of the contact with their ids at WhatsApp.
async fn shown(app: &TestApp, path: &str, wamid: &str) -> Value {
    let list = app.get(&format!("{path}?per_page=100")).await;
    let found = list.data().as_array().unwrap().iter().find(|message| message["whatsapp_message_id"] == wamid).cloned();
    found.unwrap_or_default()
}

fn asked(app: &TestApp) -> Vec<String> {
    app.model().last_texts("user")
}

#[tokio::test]
async fn edit_and_deletion_within_a_burst_change_what_the_model_reads() {
    let (app, _, path) = patient().await;
    app.model().says("Two sofas, then.");
    delivered(&app, ANA, "w1", 0, text("one sofa")).await;
    delivered(&app, ANA, "w2", 0, text(CANARY)).await;
    delivered(&app, ANA, "e1", 1, edit("w1", "two sofas")).await;
    delivered(&app, ANA, "r1", 1, revoke("w2")).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(asked(&app), ["two sofas"]);
    assert_eq!(app.model().requests().len(), 1);

    let edited = shown(&app, &path, "w1").await;
    assert_eq!((&edited["content"], &edited["earlier_texts"][0]["content"]), (&json!("two sofas"), &json!("one sofa")));
    assert!(edited["edited_at"].is_string() && edited["deleted_at"].is_null());
    let deleted = shown(&app, &path, "w2").await;
    assert_eq!((&deleted["content"], &deleted["earlier_texts"]), (&json!(""), &json!([])));
    assert!(deleted["deleted_at"].is_string());
    assert_eq!(shown(&app, &path, "e1").await, Value::Null, "a change is no message of its own");
    assert!(!app.stored_texts().await.iter().any(|stored| stored.contains(CANARY)), "the model never read it");
}

#[tokio::test]
async fn burst_whose_only_message_was_deleted_starts_no_turn() {
    let (app, agent, _) = patient().await;
    delivered(&app, ANA, "w1", 0, text(CANARY)).await;
    delivered(&app, ANA, "r1", 1, revoke("w1")).await;
    app.forward(Span::from_secs(30)).await;
    assert_eq!(app.model().requests().len(), 0);
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/executions")).await.data(), &json!([]));
}

#[tokio::test]
async fn change_before_its_message_waits_for_it() {
    let (app, _, path) = patient().await;
    app.model().says("Two, then.");
    delivered(&app, ANA, "e2", 2, edit("w1", "two sofas")).await;
    delivered(&app, ANA, "e1", 1, edit("w1", "no sofa")).await;
    delivered(&app, ANA, "r1", 1, revoke("w2")).await;
    delivered(&app, ANA, "e3", 3, edit("w2", CANARY)).await;
    // Another sender's change does not wait for this message.
    delivered(&app, BEN, "r2", 1, revoke("w3")).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.model().requests().len(), 0);
    for (wamid, body) in [("w1", "one sofa"), ("w2", CANARY), ("w3", "thanks")] {
        delivered(&app, ANA, wamid, 0, text(body)).await;
    }
    app.forward(Span::from_secs(5)).await;
    assert_eq!(asked(&app), ["two sofas\nthanks"]);
    let edited = shown(&app, &path, "w1").await;
    assert_eq!((&edited["content"], &edited["earlier_texts"][0]["content"]), (&json!("two sofas"), &json!("one sofa")));
    assert!(shown(&app, &path, "w2").await["deleted_at"].is_string());
    assert!(!app.stored_texts().await.iter().any(|stored| stored.contains(CANARY)));
}

#[tokio::test]
async fn edit_after_the_answer_starts_a_turn_that_quotes_the_earlier_text() {
    let (app, path) = talking().await;
    for answer in ["One.", "Two, then.", "Bye."] {
        app.model().says(answer);
    }
    delivered(&app, ANA, "w1", 0, text("one sofa")).await;
    app.run_until_idle().await;
    delivered(&app, ANA, "e1", 1, edit("w1", "two sofas")).await;
    app.run_until_idle().await;
    let note = "[the contact changed an earlier message \"one sofa\" to:]\ntwo sofas";
    assert_eq!(asked(&app), ["one sofa", note]);
    assert_eq!(app.received_texts(ANA).await.last().map(String::as_str), Some("Two, then."));
    // A reply to it quotes the new text.
    let reply = json!({"type": "text", "text": {"body": "this"}, "context": {"id": "w1"}});
    delivered(&app, ANA, "w2", 2, reply).await;
    app.run_until_idle().await;
    assert_eq!(asked(&app).last().unwrap(), "[in reply to their own message: \"two sofas\"]\nthis");
    assert_eq!(shown(&app, &path, "w1").await["content"], "two sofas");
}

#[tokio::test]
async fn deletion_after_the_answer_starts_no_turn_and_is_told_with_the_next() {
    let (app, path) = talking().await;
    for answer in ["Never send that.", "Noted."] {
        app.model().says(answer);
    }
    delivered(&app, ANA, "w1", 0, text("hello")).await;
    delivered(&app, ANA, "w2", 0, text(CANARY)).await;
    app.run_until_idle().await;
    let reply = json!({"type": "text", "text": {"body": "I mean this"}, "context": {"id": "w2"}});
    delivered(&app, ANA, "w3", 1, reply).await;
    app.run_until_idle().await;
    let before = app.model().requests().len();
    assert!(asked(&app).iter().any(|text| text.contains(CANARY)));
    delivered(&app, ANA, "r1", 2, revoke("w2")).await;
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), before, "a deletion starts no turn");

    app.model().says("Hello.");
    delivered(&app, ANA, "w4", 3, text("still there?")).await;
    app.run_until_idle().await;
    let texts = asked(&app).join("\n");
    assert!(!app.model().bodies().last().unwrap().contains("canary"), "{texts}");
    assert!(texts.contains("hello\n[deleted message]"), "{texts}");
    assert!(texts.contains("[in reply to their own message: \"[deleted message]\"]\nI mean this"), "{texts}");
    assert!(texts.ends_with("[the contact deleted an earlier message]\nstill there?"), "{texts}");
    // A reply to a deleted message quotes nothing.
    app.model().says("Which?");
    let reply = json!({"type": "text", "text": {"body": "this one"}, "context": {"id": "w2"}});
    delivered(&app, ANA, "w5", 4, reply).await;
    app.run_until_idle().await;
    assert_eq!(asked(&app).last().unwrap(), "[in reply to a message that the contact deleted]\nthis one");
    assert_eq!(shown(&app, &path, "w2").await["content"], "");
}

/// Every answer of the API that may hold what a contact wrote.
async fn everything(app: &TestApp, agent: &str, path: &str) -> String {
    let mut all = String::new();
    let mut paths = vec![
        path.to_owned(),
        "/api/v1/whatsapp_conversations".to_owned(),
        "/api/v1/whatsapp_contacts".to_owned(),
        "/api/v1/inbox".to_owned(),
        "/api/v1/executions".to_owned(),
        "/api/v1/webhook_deliveries".to_owned(),
        format!("/api/v1/agents/{agent}/executions"),
    ];
    let executions = app.get(&format!("/api/v1/agents/{agent}/executions")).await;
    for execution in executions.data().as_array().unwrap() {
        let id = execution["id"].as_str().unwrap();
        let events = format!("/api/v1/agents/{agent}/executions/{id}/events?per_page=100");
        let steps = app.get(&events).await.data().as_array().unwrap().iter().filter_map(|e| e["step"].as_i64()).max();
        paths.push(events);
        paths.push(format!("/api/v1/agents/{agent}/executions/{id}"));
        paths.extend((1..=steps.unwrap_or(0) + 1).map(|step| format!("/api/v1/executions/{id}/steps/{step}")));
    }
    for path in paths {
        all.push_str(&app.get(&path).await.body.to_string());
        all.push('\n');
    }
    all
}

#[tokio::test]
async fn deleted_text_is_in_no_answer_of_the_api_and_the_replay_holds() {
    // Both versions of agents, whose waits are answered in different forms.
    for version in [1.0, 2.0] {
        let app = TestApp::start().await;
        let agent = app.agent(json!({"name": "Plain", "agent_version": version})).await;
        app.activate(ANA, &agent).await;
        let conversation = super::conversation(&app).await;
        let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
        let answer = |words: &str| {
            if version < 2.0 {
                app.model()
                    .calls(&[("send_notification_to_user", json!({"message": words})), ("EnterIdleState", json!({}))]);
            } else {
                app.model().says(words);
            }
        };
        answer("Hello.");
        delivered(&app, ANA, "w0", 0, text("hello")).await;
        app.run_until_idle().await;
        answer("Thank you.");
        delivered(&app, ANA, "w1", 0, text("wrong canary 1234")).await;
        app.run_until_idle().await;
        answer("Better.");
        delivered(&app, ANA, "e1", 1, edit("w1", CANARY)).await;
        app.run_until_idle().await;
        assert!(everything(&app, &agent, &path).await.contains("canary"), "the probe finds it before its deletion");

        delivered(&app, ANA, "r1", 2, revoke("w1")).await;
        app.run_until_idle().await;
        let all = everything(&app, &agent, &path).await;
        let place = all.find("canary").map(|at| &all[at.saturating_sub(300)..(at + 100).min(all.len())]);
        assert_eq!(place, None, "version {version}");
        assert!(all.contains("[deleted message]"));
        answer("Yes?");
        delivered(&app, ANA, "w2", 3, text("and now?")).await;
        app.run_until_idle().await;
        assert!(!app.model().bodies().last().unwrap().contains("canary"), "version {version}");
        let id = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(app.app.operator().replay(id).await.unwrap().difference, None);
    }
}

#[tokio::test]
async fn repeated_and_late_changes_change_nothing() {
    let (app, path) = talking().await;
    for answer in ["One.", "Three."] {
        app.model().says(answer);
    }
    delivered(&app, ANA, "w1", 0, text("one")).await;
    app.run_until_idle().await;
    delivered(&app, ANA, "e3", 3, edit("w1", "three")).await;
    app.run_until_idle().await;
    for _ in 0..3 {
        delivered(&app, ANA, "e3", 3, edit("w1", "three")).await;
        delivered(&app, ANA, "e2", 2, edit("w1", "two")).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 2);
    let edited = shown(&app, &path, "w1").await;
    let earlier: Vec<&Value> =
        edited["earlier_texts"].as_array().unwrap().iter().map(|text| &text["content"]).collect();
    assert_eq!((&edited["content"], earlier), (&json!("three"), vec![&json!("one"), &json!("two")]));
    delivered(&app, ANA, "r1", 4, revoke("w1")).await;
    delivered(&app, ANA, "r2", 4, revoke("w1")).await;
    delivered(&app, ANA, "e5", 5, edit("w1", CANARY)).await;
    app.run_until_idle().await;
    let deleted = shown(&app, &path, "w1").await;
    assert_eq!((&deleted["content"], deleted["deleted_at"].is_string()), (&json!(""), true));
    assert_eq!(app.model().requests().len(), 2);
}

#[tokio::test]
async fn only_the_author_can_change_a_message() {
    let (app, path) = talking().await;
    app.model().says("Hello Ana.");
    delivered(&app, ANA, "w1", 0, text("mine")).await;
    app.run_until_idle().await;
    let ours = app.messages().await.into_iter().rfind(|message| message["direction"] == "outbound").unwrap();
    let ours = ours["whatsapp_message_id"].as_str().unwrap();
    delivered(&app, BEN, "e1", 1, edit("w1", "not mine")).await;
    delivered(&app, BEN, "r1", 1, revoke("w1")).await;
    delivered(&app, ANA, "e2", 1, edit(ours, "I give you all")).await;
    delivered(&app, ANA, "r2", 1, revoke(ours)).await;
    for (id, odd) in [("o1", json!({"type": "edit"})), ("o2", json!({"type": "revoke", "revoke": {}}))] {
        delivered(&app, ANA, id, 1, odd).await;
    }
    app.run_until_idle().await;
    assert_eq!(shown(&app, &path, "w1").await["content"], "mine");
    assert_eq!(shown(&app, &path, ours).await["content"], "Hello Ana.");
    assert_eq!(app.model().requests().len(), 1);
    assert!(app.metrics().await.contains(r#"result="not_theirs""#));
}

#[tokio::test]
async fn deletion_during_a_model_call_discards_its_answer() {
    let app = Arc::new(TestApp::start().await);
    let agent = app.agent(json!({"name": "Quick"})).await;
    app.activate(ANA, &agent).await;
    app.model().says_when_released("About your pin…");
    app.model().says("Hello.");
    delivered(&app, ANA, "w1", 0, text("hello")).await;
    delivered(&app, ANA, "w2", 0, text(CANARY)).await;
    let turn = tokio::spawn({
        let app = app.clone();
        async move { app.work_until_idle().await }
    });
    app.model().received(1).await;
    delivered(&app, ANA, "r1", 1, revoke("w2")).await;
    app.model().release();
    turn.await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["Hello."]);
    let texts = asked(&app).join("\n");
    assert!(!texts.contains("canary") && texts.ends_with("[the contact deleted an earlier message]"), "{texts}");
}

#[tokio::test]
async fn message_that_waits_for_a_person_can_be_edited_and_deleted() {
    let (app, agent, path) = patient().await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "angry"}))]);
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "person", "to": "__end__", "label": "done"}]});
    let changed = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"graph": graph}})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    delivered(&app, ANA, "w1", 0, text("a human, now")).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.execution(&agent).await["status"], "handoff");
    delivered(&app, ANA, "w2", 1, text("one")).await;
    delivered(&app, ANA, "w3", 1, text(CANARY)).await;
    app.forward(Span::from_secs(5)).await;
    delivered(&app, ANA, "e1", 2, edit("w2", "two")).await;
    delivered(&app, ANA, "r1", 2, revoke("w3")).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(shown(&app, &path, "w2").await["content"], "two");
    app.model().says("I am back.");
    let id = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    app.post(&format!("/api/v1/agents/{agent}/executions/{id}/resume"), json!({})).await;
    app.run_until_idle().await;
    let texts = asked(&app).join("\n");
    assert!(!texts.contains("canary") && texts.contains("one\n[deleted message]"), "{texts}");
    assert!(texts.contains("[the contact changed an earlier message \"one\" to:]\ntwo"), "{texts}");
}

#[tokio::test]
async fn caption_is_edited_and_the_file_of_a_deleted_message_is_gone() {
    let (app, path) = talking().await;
    for answer in ["A sofa.", "A red one."] {
        app.model().says(answer);
    }
    let bytes = STANDARD.encode(b"\xff\xd8\xff\xe0 a picture");
    let file = json!({"base64": bytes, "mime_type": "image/jpeg"});
    let id = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await["media_id"].clone();
    delivered(&app, ANA, "w1", 0, json!({"type": "image", "image": {"id": id, "caption": "sofa"}})).await;
    app.run_until_idle().await;
    let message = json!({"type": "image", "image": {"caption": "red sofa"}});
    let change = json!({"type": "edit", "edit": {"original_message_id": "w1", "message": message}});
    delivered(&app, ANA, "e1", 1, change).await;
    app.run_until_idle().await;
    assert_eq!(asked(&app).last().unwrap(), "[the contact changed an earlier message \"sofa\" to:]\n[image]\nred sofa");
    let stored = shown(&app, &path, "w1").await;
    let link = stored["media_url"].as_str().unwrap().to_owned();
    let at = link.find("/media/").unwrap();
    assert_eq!(app.get(&link[at..]).await.status, 200);
    delivered(&app, ANA, "r1", 2, revoke("w1")).await;
    app.run_until_idle().await;
    assert_eq!(shown(&app, &path, "w1").await["media_url"], Value::Null);
    assert_eq!(app.get(&link[at..]).await.status, 404);
}
