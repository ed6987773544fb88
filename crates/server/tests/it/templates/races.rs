//! Meta's answer is on its way while news arrive: what was written since Meta was asked is newer than its answer.

use super::*;
use std::time::Duration;

/// Meta has decided about its next answer, which takes five seconds of its clock.
async fn slow(app: &TestApp) {
    fault(app, "templates", json!({"slow": {"ms": 5_000}})).await;
}

/// Waits until Meta has been asked once more than `before`.
async fn asked(app: &TestApp, before: usize) {
    for _ in 0..500 {
        if calls(app).await > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("Meta was not asked");
}

/// Calls about templates so far.
async fn calls(app: &TestApp) -> usize {
    let log = app.emulator_call(Method::GET, "/requests", None).await;
    let all = log["requests"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|call| !call["path"].as_str().unwrap_or_default().ends_with("/messages")).count()
}

async fn meta_id(app: &TestApp, id: &str) -> Value {
    read(app, id).await["metadata"]["meta_template_id"].clone()
}

#[tokio::test]
async fn a_pull_does_not_write_over_what_came_while_meta_was_asked() {
    let (app, _) = connected().await;
    pull(&app).await;
    let id = pulled(&app, "hello_world", "en_US").await;
    let meta = meta_id(&app, &id).await;
    // Approved at the time of the pull before, rejected when Meta makes up its list, and paused before the list arrives.
    let lose = json!({"when": {"surface": "webhook", "event": "template"}, "trigger": {"next": 1}, "do": "lose"});
    app.emulator_call(Method::POST, "/faults", Some(lose)).await;
    decide(&app, &meta, json!({"status": "REJECTED"})).await;
    app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    slow(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        asked(&app, before).await;
        decide(&app, &meta, json!({"status": "PAUSED"})).await;
        assert_eq!(status(&app, &id).await, "disabled");
        app.emulator.advance(6_000).await;
    };
    let (did, ()) = tokio::join!(runtime::workers::step(app.app.context()), meanwhile);
    did.unwrap();
    assert_eq!(status(&app, &id).await, "disabled");
    app.run_until_idle().await;
    assert_eq!(status(&app, &id).await, "disabled");
}

#[tokio::test]
async fn a_look_does_not_write_over_what_came_while_meta_was_asked() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let meta = meta_id(&app, &id).await;
    decide(&app, &meta, json!({"status": "PAUSED"})).await;
    slow(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        asked(&app, before).await;
        decide(&app, &meta, json!({"status": "APPROVED"})).await;
        app.emulator.advance(6_000).await;
    };
    let (did, ()) = tokio::join!(runtime::workers::step(app.app.context()), meanwhile);
    did.unwrap();
    assert_eq!(status(&app, &id).await, "approved");
    app.forward(domain::Span::from_secs(2)).await;
    let now = read(&app, &id).await;
    assert_eq!((&now["status"], &now["metadata"]["in_doubt"]), (&json!("approved"), &json!(null)), "it looked again");
}

#[tokio::test]
async fn an_edit_that_was_approved_before_its_answer_came_is_approved() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    slow(&app).await;
    let before = calls(&app).await;
    let edit_path = path(&id, "/meta");
    let edit = app.patch(&edit_path, json!({"template": {"components": [{"type": "BODY", "text": "Até já."}]}}));
    let meanwhile = async {
        asked(&app, before).await;
        app.emulator.advance(6_000).await;
    };
    let (edited, ()) = tokio::join!(edit, meanwhile);
    assert_eq!(edited.status, 200, "{}", edited.body);
    app.run_until_idle().await;
    let now = read(&app, &id).await;
    assert_eq!((&now["status"], &now["content"]), (&json!("approved"), &json!("Até já.")), "{now}");
}

#[tokio::test]
async fn a_submission_that_was_approved_before_its_answer_came_is_approved() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    slow(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        asked(&app, before).await;
        app.emulator.advance(6_000).await;
    };
    let (submitted, ()) = tokio::join!(submit(&app, &id), meanwhile);
    assert_eq!((submitted.status, &submitted.body["data"]["status"]), (200, &json!("approved")), "{}", submitted.body);
    app.run_until_idle().await;
    assert_eq!(status(&app, &id).await, "approved");
}
