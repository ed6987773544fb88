//! Submission, edits and deletion of templates at Meta, with their states and refusals.

use super::*;
use domain::Span;
use futures::future::join_all;

#[tokio::test]
async fn submitted_template_is_reviewed_and_approved() {
    let (app, config) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    let answer = app.post(&path(&id, "/submit"), json!({"whatsapp_config_id": config})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = &answer.body;
    assert_eq!((&body["status"], &body["message"]), (&json!("success"), &json!("Template submitted successfully")));
    assert_eq!((&body["template_id"], &body["template_name"]), (&json!(id), &json!("visit_reminder")));
    assert_eq!(body["data"]["status"], "submitted");
    let meta = templates_at_meta(&app).await.into_iter().find(|template| template["name"] == "visit_reminder").unwrap();
    assert_eq!((&meta["id"], &meta["components"]), (&body["submission_id"], &visit("x")["components"]));
    assert_eq!((&meta["language"], &meta["category"]), (&json!("pt_BR"), &json!("UTILITY")));
    app.forward(Span::from_secs(1)).await;
    let now = read(&app, &id).await;
    assert_eq!((&now["status"], &now["metadata"]["meta_status"]), (&json!("approved"), &json!("APPROVED")));
    assert_eq!(now["metadata"]["in_doubt"], json!(null), "{now}");
    let events = {
        let mut reader = app.app.context().store.read().await.unwrap();
        store::events::of_object(&mut reader.conn(), app.project, id.parse().unwrap()).await.unwrap()
    };
    let moves: Vec<Value> = events.iter().map(|event| serde_json::from_str(&event.body).unwrap()).collect();
    let moves: Vec<_> = moves.iter().map(|body| (body["from"].clone(), body["to"].clone())).collect();
    assert_eq!(moves, [(json!("draft"), json!("submitted")), (json!("submitted"), json!("approved"))]);
}

#[tokio::test]
async fn refused_submission_leaves_the_draft_unchanged() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    for (action, expected) in [
        (json!({"error": {"code": 100, "http": 400, "subcode": 2_388_043}}), (422, "whatsapp_refused")),
        (json!({"error": "token_expired"}), (422, "whatsapp_refused")),
        (json!({"error": "waba_rate"}), (500, "whatsapp_unavailable")),
    ] {
        fault(&app, "templates", action.clone()).await;
        let refused = submit(&app, &id).await;
        assert_eq!(refusal(&refused), expected, "{action}: {}", refused.body);
        assert!(refused.body["meta"]["error_code"].is_i64(), "{}", refused.body);
        let now = read(&app, &id).await;
        assert_eq!((&now["status"], &now["metadata"]["in_doubt"]), (&json!("draft"), &json!(null)), "{action}");
    }
    app.patch(&path(&id, ""), json!({"template": {"category": "MARKETING"}})).await.data();
    assert_eq!(submit(&app, &id).await.status, 200);
}

#[tokio::test]
async fn submission_with_a_name_taken_at_meta_is_refused() {
    let (app, _) = connected().await;
    let hello = json!({"name": "hello_world", "language_code": "en_US", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]});
    let id = app.post(TEMPLATES, json!({"template": hello})).await.id();
    let refused = submit(&app, &id).await;
    assert_eq!(refusal(&refused), (422, "name_taken"), "{}", refused.body);
    let now = read(&app, &id).await;
    assert_eq!(
        (&now["status"], &now["content"], &now["metadata"]["in_doubt"]),
        (&json!("draft"), &json!("Hi"), &json!(null))
    );
    // A sync adds Meta's template next to the draft, which can take another name.
    sync(&app).await;
    assert_eq!(app.get(&format!("{TEMPLATES}?q[name_cont]=hello_world")).await.data().as_array().unwrap().len(), 2);
    app.patch(&path(&id, ""), json!({"template": {"name": "hello_again"}})).await.data();
    assert_eq!(submit(&app, &id).await.status, 200);
}

#[tokio::test]
async fn edited_template_is_reviewed_again() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let edit = async |template: Value| app.patch(&path(&id, "/meta"), json!({"template": template})).await;
    let fixed = edit(json!({"category": "MARKETING"})).await;
    assert_eq!((fixed.status, detail(&fixed)), (422, ("/template/category", "immutable")));
    let wrong = edit(json!({"components": [{"type": "BODY", "text": "Oi {{1}}, tchau."}]})).await;
    assert_eq!((wrong.status, detail(&wrong).1), (422, "missing_example"));
    review_manually(&app).await;
    let edited =
        edit(json!({"components": [{"type": "BODY", "text": "Até já."}], "time_to_live": 600, "category": "UTILITY"}))
            .await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    assert_eq!((&edited.data()["status"], &edited.data()["content"]), (&json!("submitted"), &json!("Até já.")));
    let meta_id = edited.data()["metadata"]["meta_template_id"].clone();
    let asked = app.emulator_call(Method::GET, "/requests", None).await.to_string();
    assert!(asked.contains("message_send_ttl_seconds"), "{asked}");
    assert_eq!(
        refusal(&edit(json!({"time_to_live": 60})).await),
        (422, "not_editable"),
        "the template is under review"
    );
    decide(&app, &meta_id, json!({"status": "REJECTED", "reason": "SCAM"})).await;
    app.run_until_idle().await;
    assert_eq!(read(&app, &id).await["metadata"]["rejected_reason"], "SCAM");
    // A rejected template may change its category too.
    let again = edit(json!({"category": "MARKETING", "components": [{"type": "BODY", "text": "Até breve."}]})).await;
    assert_eq!(
        (&again.data()["category"], &again.data()["metadata"]["rejected_reason"]),
        (&json!("MARKETING"), &json!(null))
    );
    decide(&app, &meta_id, json!({"status": "DISABLED"})).await;
    app.run_until_idle().await;
    assert_eq!(status(&app, &id).await, "disabled");
    assert_eq!(edit(json!({"components": [{"type": "BODY", "text": "Olá."}]})).await.status, 200);
    for refused in [draft(&app, "other").await] {
        let answer = app.patch(&path(&refused, "/meta"), json!({"template": {"time_to_live": 60}})).await;
        assert_eq!(refusal(&answer), (422, "not_editable"));
    }
}

#[tokio::test]
async fn refused_edit_changes_nothing() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    fault(&app, "templates", json!({"error": {"code": 100, "http": 400}})).await;
    let edit = json!({"template": {"components": [{"type": "BODY", "text": "Até já."}]}});
    assert_eq!(refusal(&app.patch(&path(&id, "/meta"), edit).await), (422, "whatsapp_refused"));
    let now = read(&app, &id).await;
    assert_eq!(
        (&now["status"], &now["parameter_count"], &now["metadata"]["in_doubt"]),
        (&json!("approved"), &json!(2), &json!(null))
    );
}

#[tokio::test]
async fn deletion_removes_one_language_and_needs_a_number() {
    let (app, config) = connected().await;
    sync(&app).await;
    let (english, portuguese) =
        (synced(&app, "order_update", "en_US").await, synced(&app, "order_update", "pt_BR").await);
    fault(&app, "templates", json!({"error": {"code": 100, "http": 400, "details": "still used by a campaign"}})).await;
    let refused = app.call(Method::DELETE, &path(&english, ""), None).await;
    assert_eq!(refusal(&refused), (422, "whatsapp_refused"));
    assert!(refused.body["error"].is_string() && refused.body["meta"]["error_code"] == 100, "{}", refused.body);
    assert_eq!(status(&app, &english).await, "approved");
    let deleted = app.call(Method::DELETE, &path(&english, ""), None).await;
    assert_eq!(deleted.data()["status"], "removed");
    let left: Vec<Value> =
        templates_at_meta(&app).await.into_iter().filter(|template| template["name"] == "order_update").collect();
    assert_eq!(left.iter().map(|template| template["language"].clone()).collect::<Vec<_>>(), [json!("pt_BR")]);
    assert_eq!(status(&app, &portuguese).await, "approved");
    let again = app.call(Method::DELETE, &path(&english, ""), None).await;
    assert_eq!(again.data()["status"], "removed");
    app.patch(&format!("/api/v1/whatsapp_configs/{config}"), json!({"whatsapp_config": {"access_token": null}}))
        .await
        .data();
    let unreachable = app.call(Method::DELETE, &path(&portuguese, ""), None).await;
    assert_eq!(refusal(&unreachable), (422, "no_production_config"));
}

#[tokio::test]
async fn concurrent_submissions_submit_once() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    let answers = join_all((0..20).map(|_| submit(&app, &id))).await;
    let mut ids: Vec<&Value> = Vec::new();
    for answer in &answers {
        assert!(answer.status == 200 || refusal(answer) == (422, "not_a_draft"), "{}", answer.body);
        ids.extend(answer.body.get("submission_id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let meta = templates_at_meta(&app).await;
    assert_eq!(meta.iter().filter(|template| template["name"] == "visit_reminder").count(), 1);
    app.forward(Span::from_mins(2)).await;
    assert_eq!(status(&app, &id).await, "approved");
}

#[tokio::test]
async fn same_idempotency_key_submits_once_and_gets_one_response() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    let headers = [("idempotency-key", "submit-1"), ("content-type", "application/json")];
    let call = async || app.call_raw(&headers, Method::POST, &path(&id, "/submit"), Some("{}".into())).await;
    let answers = join_all((0..10).map(|_| call())).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| !answer.headers.contains_key("idempotency-replayed")).count(), 1);
    app.forward(Span::from_secs(1)).await;
    assert_eq!(call().await.body, answers[0].body, "the first answer, even if the row changed since");
    let other =
        app.call_raw(&headers, Method::POST, &path(&id, "/submit"), Some("{\"customer_id\": null}".into())).await;
    assert_eq!(refusal(&other), (422, "idempotency_mismatch"));
}
