//! Meta accepts, but the response is lost or the process dies before storing it. Another
//! submission, a webhook, a sync or the refresh job a minute later finds Meta's state.

use super::*;
use domain::Span;

/// Submits a draft whose response is lost.
async fn submit_with_lost_response(app: &TestApp) -> String {
    let id = draft(app, "visit_reminder").await;
    fault(app, "templates", json!("accept_then_drop")).await;
    let lost = submit(app, &id).await;
    assert_eq!(refusal(&lost), (500, "whatsapp_unconfirmed"), "{}", lost.body);
    let now = read(app, &id).await;
    assert_eq!((&now["status"], &now["metadata"]["in_doubt"]), (&json!("draft"), &json!("submit")));
    id
}

/// Checks that the draft was submitted once and shows Meta's state.
async fn assert_submitted_once(app: &TestApp, id: &str, expected: &str) {
    let meta: Vec<Value> =
        templates_at_meta(app).await.into_iter().filter(|template| template["name"] == "visit_reminder").collect();
    assert_eq!(meta.len(), 1);
    let now = read(app, id).await;
    assert_eq!((&now["status"], &now["metadata"]["in_doubt"]), (&json!(expected), &json!(null)), "{now}");
    assert_eq!(now["metadata"]["meta_template_id"], meta[0]["id"]);
    let all = app.get(&format!("{TEMPLATES}?q[name_cont]=visit_reminder")).await;
    assert_eq!(all.data().as_array().unwrap().len(), 1, "no second row");
}

#[tokio::test]
async fn submission_with_lost_response_can_be_repeated() {
    let (app, _) = connected().await;
    review_manually(&app).await;
    let id = submit_with_lost_response(&app).await;
    let change = app.patch(&path(&id, ""), json!({"template": {"category": "MARKETING"}})).await;
    assert_eq!(refusal(&change), (422, "submission_unconfirmed"), "the template may exist at Meta");
    let again = submit(&app, &id).await;
    assert_eq!((again.status, &again.body["data"]["status"]), (200, &json!("submitted")), "{}", again.body);
    assert_submitted_once(&app, &id, "submitted").await;
}

#[tokio::test]
async fn submission_with_lost_response_is_found_by_the_job_after_a_crash() {
    let (app, _) = connected().await;
    review_manually(&app).await;
    let id = submit_with_lost_response(&app).await;
    let app = app.crash_and_restart().await;
    app.forward(Span::from_secs(59)).await;
    assert_eq!(status(&app, &id).await, "draft");
    app.forward(Span::from_secs(2)).await;
    assert_submitted_once(&app, &id, "submitted").await;
}

#[tokio::test]
async fn submission_with_lost_response_is_settled_by_a_webhook() {
    let (app, _) = connected().await;
    let id = submit_with_lost_response(&app).await;
    app.forward(Span::from_secs(1)).await;
    assert_submitted_once(&app, &id, "approved").await;
}

#[tokio::test]
async fn submission_with_lost_response_is_found_by_a_sync() {
    let (app, _) = connected().await;
    review_manually(&app).await;
    let id = submit_with_lost_response(&app).await;
    let run = sync(&app).await;
    let others = templates_at_meta(&app).await.len() - 1;
    assert_eq!((&run["templates_created"], &run["templates_updated"]), (&json!(others), &json!(1)), "{run}");
    assert_submitted_once(&app, &id, "submitted").await;
}

#[tokio::test]
async fn submission_that_never_arrived_becomes_a_draft_again() {
    let (app, _) = connected().await;
    let id = draft(&app, "visit_reminder").await;
    fault(&app, "templates", json!("drop")).await;
    assert_eq!(refusal(&submit(&app, &id).await), (500, "whatsapp_unconfirmed"));
    app.forward(Span::from_mins(2)).await;
    let now = read(&app, &id).await;
    assert_eq!((&now["status"], &now["metadata"]["in_doubt"]), (&json!("draft"), &json!(null)));
    app.patch(&path(&id, ""), json!({"template": {"category": "MARKETING"}})).await.data();
    assert_eq!(submit(&app, &id).await.status, 200);
}

#[tokio::test]
async fn refresh_job_repeats_until_meta_answers() {
    let (app, _) = connected().await;
    review_manually(&app).await;
    let id = submit_with_lost_response(&app).await;
    for _ in 0..3 {
        fault(&app, "templates", json!({"error": "server_500"})).await;
    }
    app.forward(Span::from_secs(61)).await;
    assert_eq!(status(&app, &id).await, "draft");
    for _ in 0..3 {
        app.forward(Span::from_secs(40)).await;
    }
    assert_submitted_once(&app, &id, "submitted").await;
}

#[tokio::test]
async fn edit_with_lost_response_is_refreshed() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    fault(&app, "templates", json!({"accept_then_error": "server_500"})).await;
    let edit = json!({"template": {"components": [{"type": "BODY", "text": "Até já."}]}});
    assert_eq!(refusal(&app.patch(&path(&id, "/meta"), edit).await), (500, "whatsapp_unconfirmed"));
    assert_eq!(read(&app, &id).await["parameter_count"], 2);
    let app = app.crash_and_restart().await;
    app.forward(Span::from_mins(2)).await;
    assert_eq!(read(&app, &id).await["content"], "Até já.");
    assert_submitted_once(&app, &id, "approved").await;
}

#[tokio::test]
async fn deletion_with_lost_response_is_refreshed_and_repeatable() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    fault(&app, "templates", json!("accept_then_drop")).await;
    let lost = app.call(Method::DELETE, &path(&id, ""), None).await;
    assert_eq!(refusal(&lost), (500, "whatsapp_unconfirmed"), "{}", lost.body);
    assert_eq!(status(&app, &id).await, "approved");
    app.forward(Span::from_mins(2)).await;
    assert_eq!(status(&app, &id).await, "removed");

    let other = approved(&app, "visit_reminder").await;
    fault(&app, "templates", json!("accept_then_drop")).await;
    app.call(Method::DELETE, &path(&other, ""), None).await;
    let again = app.call(Method::DELETE, &path(&other, ""), None).await;
    assert_eq!(again.data()["status"], "removed");
}

#[tokio::test]
async fn deleting_a_possibly_submitted_draft_also_deletes_at_meta() {
    let (app, _) = connected().await;
    review_manually(&app).await;
    let id = submit_with_lost_response(&app).await;
    let deleted = app.call(Method::DELETE, &path(&id, ""), None).await;
    assert_eq!(deleted.data()["status"], "removed", "{}", deleted.body);
    assert!(templates_at_meta(&app).await.iter().all(|template| template["name"] != "visit_reminder"));
}
