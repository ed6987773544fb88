//! The endpoints themselves: checks, secrets, rotation, test events, retention.

use super::{KEY, ana_writes, assert_signed, header, receiver, signs, subscribe, subscribe_project, with_number};
use domain::Span;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn invalid_webhooks_are_refused_with_all_reasons() {
    let (app, config) = with_number().await;
    let path = format!("/api/v1/whatsapp_configs/{config}/whatsapp_webhooks");
    let bad = json!({"url": "ftp://u:p@x", "secret_key": "k", "events": ["execution.ended"], "buffer_events": ["other"],
        "headers": {"webhook-id": "mine"}, "inactivity_minutes": 0});
    let answer = app.post(&path, json!({"whatsapp_webhook": bad})).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let text = answer.body.to_string();
    for part in ["invalid_url", "reserved_header", "not_buffered", "/whatsapp_webhook/events/0", "inactivity_minutes"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn key_and_header_values_are_never_returned() {
    let (app, config) = with_number().await;
    let secret = json!({"headers": {"Authorization": "Bearer t0p-s3cret"}});
    let id = subscribe(&app, &config, "https://hooks.example.test/a", &["whatsapp.message.received"], secret).await;
    let path = format!("/api/v1/whatsapp_configs/{config}/whatsapp_webhooks");
    let mut texts = Vec::new();
    for path in [
        path.clone(),
        format!("{path}/{id}"),
        "/api/v1/webhook_endpoints".into(),
        format!("/api/v1/webhook_endpoints/{id}"),
    ] {
        texts.push(app.get(&path).await.body.to_string());
    }
    texts.push(
        app.patch(&format!("{path}/{id}"), json!({"whatsapp_webhook": {"active": false}})).await.body.to_string(),
    );
    for text in texts {
        assert!(!text.contains(KEY) && !text.contains("t0p-s3cret"), "{text}");
        assert!(text.contains("****alue") && text.contains("Authorization"), "{text}");
    }
}

#[tokio::test]
async fn both_keys_sign_during_a_rotation_and_the_old_one_not_after_it() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let id = subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    let rotate = format!("/api/v1/webhook_endpoints/{id}/rotate_secret");
    app.post(&rotate, json!({"secret_key": "an0ther-s3cret", "overlap_hours": 2})).await.data();
    ana_writes(&app, "one").await;
    app.run_until_idle().await;
    app.forward(Span::from_hours(3)).await;
    ana_writes(&app, "two").await;
    app.run_until_idle().await;
    let requests = receiver.requests();
    assert_signed(&requests[0], "an0ther-s3cret");
    assert!(signs(&requests[0], KEY), "the old key signs during the overlap");
    assert_signed(&requests[1], "an0ther-s3cret");
    assert!(!signs(&requests[1], KEY), "and not after it");
}

#[tokio::test]
async fn test_event_and_replay_reach_the_receiver() {
    let (app, _) = with_number().await;
    let receiver = receiver().await;
    let id = subscribe_project(&app, &receiver.url(), &["execution.ended"], json!({})).await;
    let delivery = app.post(&format!("/api/v1/webhook_endpoints/{id}/test"), json!({})).await.id();
    app.run_until_idle().await;
    assert_eq!(header(&receiver.requests()[0], "x-webhook-event"), "webhook.test");
    let replayed = app.post(&format!("/api/v1/webhook_deliveries/{delivery}/replay"), json!({})).await;
    assert_eq!(replayed.data()["status"], "pending");
    app.run_until_idle().await;
    let ids: Vec<String> = receiver.requests().iter().map(|r| header(r, "webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the same event");
}

#[tokio::test]
async fn deleted_endpoint_gets_nothing_more_and_its_log_stays() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let id = subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    ana_writes(&app, "one").await;
    let path = format!("/api/v1/whatsapp_configs/{config}/whatsapp_webhooks/{id}");
    assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 0);
    let log = app.get(&format!("/api/v1/webhook_deliveries?webhook_endpoint_id={id}")).await;
    assert_eq!(log.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn log_is_paged_and_old_deliveries_are_swept() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    for text in ["one", "two", "three"] {
        ana_writes(&app, text).await;
        app.forward(Span::from_secs(1)).await;
    }
    let first = app.get("/api/v1/webhook_deliveries?limit=2").await;
    assert_eq!(first.body["data"].as_array().unwrap().len(), 2);
    let next = first.body["meta"]["next_before"].as_str().unwrap();
    let rest = app.get(&format!("/api/v1/webhook_deliveries?limit=2&before={next}")).await;
    assert_eq!((rest.body["data"].as_array().unwrap().len(), &rest.body["meta"]["next_before"]), (1, &json!(null)));
    assert_eq!(runtime::hook_delivery::sweep(app.app.context()).await.unwrap(), 0, "nothing is old");
    app.clock.forward(Span::from_hours(24 * 31));
    assert_eq!(runtime::hook_delivery::sweep(app.app.context()).await.unwrap(), 6, "three events and three deliveries");
    assert_eq!(app.get("/api/v1/webhook_deliveries").await.body["data"], json!([]));
}
