//! Payloads of each event, in both versions.

use super::{KEY, ana_writes, assert_signed, header, receiver, subscribe, subscribe_project, with_number};
use domain::Span;
use serde_json::json;
use testkit::{ANA, OWN_NUMBER_ID, Service};

fn names(service: &Service) -> Vec<String> {
    service.requests().iter().map(|request| header(request, "x-webhook-event").to_owned()).collect()
}

#[tokio::test]
async fn received_message_is_posted_once_with_both_signatures() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let headers = json!({"headers": {"X-Clinic": "blue"}});
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], headers).await;
    ana_writes(&app, "Olá, é a Ana").await;
    app.run_until_idle().await;
    ana_writes(&app, "again").await;
    app.run_until_idle().await;

    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    let first = &requests[0];
    assert_signed(first, KEY);
    assert_eq!(header(first, "x-webhook-event"), "whatsapp.message.received");
    assert_eq!(header(first, "x-webhook-payload-version"), "v2");
    assert_eq!(header(first, "x-webhook-batch"), "");
    assert_eq!(header(first, "x-clinic"), "blue");
    assert_eq!(header(first, "content-type"), "application/json");
    assert_eq!(header(first, "x-idempotency-key"), header(first, "webhook-id"));
    assert_ne!(header(first, "webhook-id"), header(&requests[1], "webhook-id"));
    let message = &first.body["message"];
    assert_eq!(message["text"]["body"], "Olá, é a Ana");
    assert!(message["id"].as_str().unwrap().starts_with("wamid."), "{message}");
    assert_eq!(
        (&message["kapso"]["direction"], &message["kapso"]["content"]),
        (&json!("inbound"), &json!("Olá, é a Ana"))
    );
    assert_eq!((&message["kapso"]["status"], &message["kapso"]["has_media"]), (&json!("received"), &json!(false)));
    assert_eq!(first.body["phone_number_id"], OWN_NUMBER_ID);
    assert_eq!(first.body["conversation"]["phone_number"], ANA.trim_start_matches('+'));
    assert_eq!(
        (&first.body["is_new_conversation"], &requests[1].body["is_new_conversation"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn version_1_has_its_own_form() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let events = ["whatsapp.message.received", "whatsapp.conversation.created"];
    subscribe(&app, &config, &receiver.url(), &events, json!({"payload_version": "v1"})).await;
    ana_writes(&app, "hi").await;
    app.run_until_idle().await;
    let requests = receiver.requests();
    let of = |name: &str| requests.iter().find(|request| header(request, "x-webhook-event") == name).unwrap();
    let message = of("whatsapp.message.received");
    assert_eq!(header(message, "x-webhook-payload-version"), "v1");
    assert_eq!(
        (&message.body["message"]["content"], &message.body["message"]["phone_number"]),
        (&json!("hi"), &json!(ANA))
    );
    assert_eq!(message.body["whatsapp_config"]["id"], json!(config));
    assert_eq!(message.body["conversation"]["whatsapp_config_id"], json!(config));
    assert!(message.body["whatsapp_config"]["display_phone_number"].is_string(), "{}", message.body);
    assert_eq!(of("whatsapp.conversation.created").body["conversation"]["status"], "active");
}

#[tokio::test]
async fn sent_message_is_reported_with_each_status_once() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let events = ["sent", "delivered", "read", "failed"].map(|status| format!("whatsapp.message.{status}"));
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    subscribe(&app, &config, &receiver.url(), &events, json!({})).await;
    ana_writes(&app, "hi").await;
    let conversation = app.conversation().await;
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    app.post(&path, json!({"message": {"content": "Good morning", "message_type": "text"}})).await.data();
    app.run_until_idle().await;
    app.forward(Span::from_mins(5)).await;
    let names = names(&receiver);
    for (name, times) in [("sent", 1), ("delivered", 1), ("failed", 0)] {
        let name = format!("whatsapp.message.{name}");
        assert_eq!(names.iter().filter(|own| **own == name).count(), times, "{name} in {names:?}");
    }
    let requests = receiver.requests();
    let delivered = requests.iter().find(|request| header(request, "x-webhook-event").ends_with("delivered")).unwrap();
    let message = &delivered.body["message"];
    assert_eq!(
        (&message["kapso"]["direction"], &message["text"]["body"]),
        (&json!("outbound"), &json!("Good morning"))
    );
    let statuses: Vec<&str> = message["kapso"]["statuses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["sent", "delivered"]);
}

#[tokio::test]
async fn messages_of_a_conversation_are_collected_in_one_batch() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let buffer = json!({"buffer_enabled": true, "buffer_window_seconds": 30, "max_buffer_size": 3});
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], buffer).await;
    for text in ["one", "two"] {
        ana_writes(&app, text).await;
    }
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 0, "the window is open");
    app.forward(Span::from_secs(31)).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(header(&requests[0], "x-webhook-batch"), "true");
    assert_eq!(
        (&requests[0].body["type"], &requests[0].body["batch"]),
        (&json!("whatsapp.message.received"), &json!(true))
    );
    let texts: Vec<_> = requests[0].body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["message"]["text"]["body"].clone())
        .collect();
    assert_eq!(texts, [json!("one"), json!("two")]);
    assert_signed(&requests[0], KEY);

    for text in ["three", "four", "five"] {
        ana_writes(&app, text).await;
    }
    app.run_until_idle().await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2, "a full batch does not wait");
    assert_eq!(requests[1].body["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn silent_conversation_is_reported_once_and_an_ended_one_is_not() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let events = ["whatsapp.conversation.inactive", "whatsapp.conversation.ended"];
    subscribe(&app, &config, &receiver.url(), &events, json!({"inactivity_minutes": 10})).await;
    ana_writes(&app, "hi").await;
    app.forward(Span::from_mins(8)).await;
    ana_writes(&app, "still there").await;
    app.forward(Span::from_mins(8)).await;
    assert_eq!(names(&receiver), [""; 0], "her second message starts the silence again");
    app.forward(Span::from_mins(3)).await;
    app.forward(Span::from_mins(30)).await;
    assert_eq!(names(&receiver), ["whatsapp.conversation.inactive"]);
    let body = &receiver.requests()[0].body;
    assert_eq!((&body["inactivity"]["minutes"], &body["since_message"]["direction"]), (&json!(10), &json!("inbound")));

    ana_writes(&app, "bye").await;
    let conversation = app.conversation().await;
    let ended = json!({"whatsapp_conversation": {"status": "ended"}});
    app.patch(&format!("/api/v1/whatsapp_conversations/{conversation}"), ended).await.data();
    app.forward(Span::from_mins(30)).await;
    assert_eq!(names(&receiver), ["whatsapp.conversation.inactive", "whatsapp.conversation.ended"]);
    assert_eq!(receiver.requests()[1].body["conversation"]["status"], "ended");
}

#[tokio::test]
async fn executions_are_reported_to_the_project_in_order() {
    let (app, _) = with_number().await;
    let receiver = receiver().await;
    let events = ["execution.started", "execution.handoff", "execution.ended", "whatsapp.message.received"];
    subscribe_project(&app, &receiver.url(), &events, json!({"ordered": true})).await;
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"}, {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}}, {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "person", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "asked"}))]);
    app.contact_sends(ANA, "a human, please").await;
    app.run_until_idle().await;
    let names = names(&receiver);
    assert!(names.ends_with(&["execution.started".into(), "execution.handoff".into()]), "{names:?}");
    let requests = receiver.requests();
    let handoff = &requests.last().unwrap().body["execution"];
    assert_eq!((&handoff["agent_id"], &handoff["status"]), (&json!(agent), &json!("handoff")));
}

#[tokio::test]
async fn destination_url_of_a_config_gets_all_eight_events_in_version_1() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let path = format!("/api/v1/whatsapp_configs/{config}");
    let url = json!({"whatsapp_config": {"webhook_destination_url": receiver.url()}});
    app.patch(&path, url).await.data();
    ana_writes(&app, "hi").await;
    app.run_until_idle().await;
    let mut names = names(&receiver);
    names.sort();
    assert_eq!(names, ["whatsapp.conversation.created", "whatsapp.message.received"]);
    for request in receiver.requests() {
        assert_signed(&request, "own");
        assert_eq!(header(&request, "x-webhook-payload-version"), "v1");
    }
    assert_eq!(app.get(&format!("{path}/whatsapp_webhooks")).await.data(), &json!([]), "it is no webhook of the list");
    assert_eq!(app.get("/api/v1/webhook_endpoints").await.data()[0]["origin"], "destination");
    app.patch(&path, json!({"whatsapp_config": {"webhook_destination_url": null}})).await.data();
    ana_writes(&app, "unheard").await;
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn payload_of_a_deleted_message_holds_no_content() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    let url = receiver.url();
    subscribe(&app, &config, &url, &["whatsapp.message.received"], json!({"payload_version": "v2"})).await;
    subscribe(&app, &config, &url, &["whatsapp.message.received"], json!({"payload_version": "v1"})).await;
    // Stored, and not delivered yet: the workers rest.
    ana_writes(&app, "my pin is canary 4711").await;
    let chat = app.chat_with(OWN_NUMBER_ID, ANA).await;
    let body = json!({"message_id": chat.last().unwrap()["id"]});
    app.emulator_call(reqwest::Method::POST, &format!("/users/{ANA}/delete"), Some(body)).await;
    app.run_until_idle().await;
    let received = receiver.requests();
    assert_eq!(received.len(), 2);
    for request in received {
        let body = String::from_utf8(request.raw.to_vec()).unwrap();
        assert!(!body.contains("canary") && body.contains("is_new_conversation"), "{body}");
    }
}
