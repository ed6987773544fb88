//! Webhooks that arrive during a request to Meta are newer than its response and must not be
//! overwritten.

use super::*;
use std::time::Duration;

/// Delays Meta's next response by five seconds of its clock; the response is computed before the
/// delay.
async fn delay_next_response(app: &TestApp) {
    fault(app, "templates", json!({"slow": {"ms": 5_000}})).await;
}

/// Waits until Meta has received one request more than `before`.
async fn wait_for_request(app: &TestApp, before: usize) {
    for _ in 0..500 {
        if calls(app).await > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("Meta received no request");
}

/// Template requests received by Meta.
async fn calls(app: &TestApp) -> usize {
    let log = app.emulator_call(Method::GET, "/requests", None).await;
    let all = log["requests"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|call| !call["path"].as_str().unwrap_or_default().ends_with("/messages")).count()
}

async fn meta_id(app: &TestApp, id: &str) -> Value {
    read(app, id).await["metadata"]["meta_template_id"].clone()
}

#[tokio::test]
async fn sync_does_not_overwrite_newer_webhooks() {
    let (app, _) = connected().await;
    sync(&app).await;
    let id = synced(&app, "hello_world", "en_US").await;
    let meta = meta_id(&app, &id).await;
    // Approved by an earlier sync, rejected when Meta computes its list, and paused before the list
    // arrives.
    let lose = json!({"when": {"surface": "webhook", "event": "template"}, "trigger": {"next": 1}, "do": "lose"});
    app.emulator_call(Method::POST, "/faults", Some(lose)).await;
    decide(&app, &meta, json!({"status": "REJECTED"})).await;
    app.post(&format!("{TEMPLATES}/sync"), json!({})).await;
    delay_next_response(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        wait_for_request(&app, before).await;
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
async fn refresh_does_not_overwrite_newer_webhooks() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let meta = meta_id(&app, &id).await;
    decide(&app, &meta, json!({"status": "PAUSED"})).await;
    delay_next_response(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        wait_for_request(&app, before).await;
        decide(&app, &meta, json!({"status": "APPROVED"})).await;
        app.emulator.advance(6_000).await;
    };
    let (did, ()) = tokio::join!(runtime::workers::step(app.app.context()), meanwhile);
    did.unwrap();
    assert_eq!(status(&app, &id).await, "approved");
    app.forward(domain::Span::from_secs(2)).await;
    let now = read(&app, &id).await;
    assert_eq!(
        (&now["status"], &now["metadata"]["in_doubt"]),
        (&json!("approved"), &json!(null)),
        "the template was looked up again"
    );
}

#[tokio::test]
async fn edit_approved_before_its_response_stays_approved() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    delay_next_response(&app).await;
    let before = calls(&app).await;
    let edit_path = path(&id, "/meta");
    let edit = app.patch(&edit_path, json!({"template": {"components": [{"type": "BODY", "text": "Até já."}]}}));
    let meanwhile = async {
        wait_for_request(&app, before).await;
        app.emulator.advance(6_000).await;
    };
    let (edited, ()) = tokio::join!(edit, meanwhile);
    assert_eq!(edited.status, 200, "{}", edited.body);
    app.run_until_idle().await;
    let now = read(&app, &id).await;
    assert_eq!((&now["status"], &now["content"]), (&json!("approved"), &json!("Até já.")), "{now}");
}

#[tokio::test]
async fn submission_approved_before_its_response_stays_approved() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    delay_next_response(&app).await;
    let before = calls(&app).await;
    let meanwhile = async {
        wait_for_request(&app, before).await;
        app.emulator.advance(6_000).await;
    };
    let (submitted, ()) = tokio::join!(submit(&app, &id), meanwhile);
    assert_eq!((submitted.status, &submitted.body["data"]["status"]), (200, &json!("approved")), "{}", submitted.body);
    app.run_until_idle().await;
    assert_eq!(status(&app, &id).await, "approved");
}
