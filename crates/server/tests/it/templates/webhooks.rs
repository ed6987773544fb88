//! Webhooks about templates.

use super::*;
use domain::Span;
use testkit::OTHER_NUMBER_ID;

async fn meta_id(app: &TestApp, id: &str) -> Value {
    read(app, id).await["metadata"]["meta_template_id"].clone()
}

/// Sends a signed webhook of the account.
async fn tell(app: &TestApp, field: &str, value: Value) {
    app.emulator_call(Method::POST, "/webhooks/raw", Some(json!({"field": field, "value": value}))).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn every_status_webhook_updates_the_template() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let meta = meta_id(&app, &id).await;
    for (word, expected) in [
        ("PAUSED", "disabled"),
        ("APPROVED", "approved"),
        ("FLAGGED", "approved"),
        ("DISABLED", "disabled"),
        ("IN_APPEAL", "submitted"),
        ("REJECTED", "rejected"),
        ("PENDING", "submitted"),
        ("LOCKED", "disabled"),
        ("ARCHIVED", "disabled"),
        ("LIMIT_EXCEEDED", "disabled"),
        ("BRAND_NEW", "disabled"),
    ] {
        decide(&app, &meta, json!({"status": word})).await;
        app.run_until_idle().await;
        let now = read(&app, &id).await;
        assert_eq!((&now["status"], &now["metadata"]["meta_status"]), (&json!(expected), &json!(word)));
        assert_eq!(now["metadata"]["in_doubt"], json!(null), "{word}");
    }
}

#[tokio::test]
async fn late_webhook_does_not_move_a_template_back() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let meta = meta_id(&app, &id).await;
    let number: u64 = meta.as_str().unwrap().parse().unwrap();
    let old = json!({"event": "PENDING", "message_template_id": number, "message_template_name": "visit_reminder",
        "message_template_language": "pt_BR", "reason": null});
    tell(&app, "message_template_status_update", old.clone()).await;
    assert_eq!(status(&app, &id).await, "approved", "Meta received the lookup");
    app.call(Method::DELETE, &path(&id, ""), None).await.data();
    let approved = json!({"event": "APPROVED", "message_template_id": number, "message_template_name": "visit_reminder",
        "message_template_language": "pt_BR", "reason": "NONE"});
    let approved = json!({"field": "message_template_status_update", "value": approved});
    app.emulator_call(Method::POST, "/webhooks/raw", Some(approved)).await;
    app.emulator.quiesce(std::time::Duration::from_secs(10)).await;
    assert_eq!(status(&app, &id).await, "removed", "not even before Meta is called");
    app.run_until_idle().await;
    assert_eq!(status(&app, &id).await, "removed");
}

#[tokio::test]
async fn category_quality_and_component_webhooks_are_applied() {
    let (app, _) = connected().await;
    let id = approved(&app, "visit_reminder").await;
    let number: u64 = meta_id(&app, &id).await.as_str().unwrap().parse().unwrap();
    let mut value = json!({"message_template_id": number, "message_template_name": "visit_reminder",
        "message_template_language": "pt_BR"});
    // The refresh that follows loads the emulator's state, so the webhook's own effect is checked
    // before it.
    value["new_category"] = json!("MARKETING");
    app.emulator_call(
        Method::POST,
        "/webhooks/raw",
        Some(json!({"field": "template_category_update", "value": value})),
    )
    .await;
    app.emulator.quiesce(std::time::Duration::from_secs(10)).await;
    assert_eq!(read(&app, &id).await["category"], "MARKETING");
    app.run_until_idle().await;
    assert_eq!(read(&app, &id).await["category"], "UTILITY", "the webhook's status is kept");
    value["new_quality_score"] = json!("RED");
    app.emulator_call(
        Method::POST,
        "/webhooks/raw",
        Some(json!({"field": "message_template_quality_update", "value": value})),
    )
    .await;
    app.emulator.quiesce(std::time::Duration::from_secs(10)).await;
    assert_eq!(read(&app, &id).await["metadata"]["quality_score"], "RED");
    // Edited in Meta's own tool.
    let edit = json!({"components": [{"type": "BODY", "text": "Até já."}]});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v25.0/{number}", app.emulator.url());
    let edited = client.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&edit).send().await.unwrap();
    assert!(edited.status().is_success());
    tell(&app, "message_template_components_update", value).await;
    assert_eq!(read(&app, &id).await["content"], "Até já.");
}

#[tokio::test]
async fn webhook_about_an_unknown_template_starts_a_sync() {
    let (app, _) = connected().await;
    let hello = templates_at_meta(&app).await.into_iter().find(|template| template["name"] == "hello_world").unwrap();
    decide(&app, &hello["id"], json!({"status": "PAUSED"})).await;
    app.run_until_idle().await;
    let id = synced(&app, "hello_world", "en_US").await;
    assert_eq!(status(&app, &id).await, "disabled");
}

#[tokio::test]
async fn webhook_of_an_unknown_account_is_stored_and_ignored() {
    let app = TestApp::start().await;
    let hello = templates_at_meta(&app).await.into_iter().find(|template| template["name"] == "hello_world").unwrap();
    decide(&app, &hello["id"], json!({"status": "PAUSED"})).await;
    app.run_until_idle().await;
    assert_eq!(app.get(TEMPLATES).await.data(), &json!([]));
    app.forward(Span::from_mins(2)).await;
}

#[tokio::test]
async fn webhook_updates_every_project_of_the_account() {
    let (app, _) = connected().await;
    sync(&app).await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs = async |path: &str, body: Value| app.call_as(Some(&key), Method::POST, path, Some(body)).await;
    let customer = json!({"customer": {"name": "Theirs", "external_customer_id": "t"}});
    let customer = theirs("/api/v1/customers", customer).await.id();
    let config = json!({"name": "Line", "phone_number_id": OTHER_NUMBER_ID, "business_account_id": emulator::WABA_ID,
        "webhook_verify_token": "x", "access_token": emulator::ACCESS_TOKEN});
    theirs(&format!("/api/v1/customers/{customer}/whatsapp_configs"), json!({"whatsapp_config": config})).await.data();
    theirs(&format!("{TEMPLATES}/sync"), json!({})).await;
    app.run_until_idle().await;
    let hello = templates_at_meta(&app).await.into_iter().find(|template| template["name"] == "hello_world").unwrap();
    decide(&app, &hello["id"], json!({"status": "PAUSED"})).await;
    app.run_until_idle().await;
    let filter = format!("{TEMPLATES}?q[name_cont]=hello_world");
    let mine = app.get(&filter).await;
    let their = app.call_as(Some(&key), Method::GET, &filter, None).await;
    for list in [&mine, &their] {
        assert_eq!(list.data()[0]["status"], "disabled");
    }
    assert_ne!(mine.data()[0]["id"], their.data()[0]["id"]);
    let id = mine.data()[0]["id"].as_str().unwrap();
    assert_eq!(app.call_as(Some(&key), Method::GET, &path(id, ""), None).await.status, 404);
}
