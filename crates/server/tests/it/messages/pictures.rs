//! Pictures of contacts in requests to models (docs/decisions/0031-pictures-for-models.md).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Id, Span,
    chat::{ChatMessage, ModelRequest},
    ids::{ConversationId, ExecutionId, MessageId, ProjectId},
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    ANA, TestApp,
    dialects::{DIALECTS, Dialect},
};

fn dialect(name: &str) -> &'static Dialect {
    DIALECTS.iter().find(|dialect| dialect.name == name).unwrap()
}

/// Bytes with the beginning of a JPEG; `n` makes them differ.
fn jpeg(n: u8) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0 a picture ".as_slice(), &[n; 40]].concat()
}

/// An application whose model speaks a dialect, and an agent that Ana talks to.
async fn talking(dialect: &'static Dialect) -> (TestApp, String) {
    let app = TestApp::speaking(dialect, |_| {}).await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

/// Ana's phone sends a file.
async fn phone_sends(app: &TestApp, kind: &str, mime: &str, bytes: &[u8], caption: Option<&str>) {
    let file =
        json!({"base64": STANDARD.encode(bytes), "mime_type": mime, "phone_number_id": emulator::PHONE_NUMBER_ID});
    let uploaded = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await;
    let mut media = json!({"id": uploaded["media_id"]});
    if let Some(caption) = caption {
        media["caption"] = caption.into();
    }
    let body = json!({"from": ANA, "type": kind, kind: media, "phone_number_id": emulator::PHONE_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(body)).await;
}

/// Ana's phone sends a picture, and the model answers.
async fn shows(app: &TestApp, bytes: &[u8], answer: &str) {
    app.model().says(answer);
    // WhatsApp takes one message to a person in six seconds for long.
    app.forward(Span::from_secs(7)).await;
    phone_sends(app, "image", "image/jpeg", bytes, Some("the sofa")).await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().map(String::as_str), Some(answer));
}

/// Pictures of a request as data URLs, oldest first.
fn pictures(request: &Value) -> Vec<String> {
    let messages = request["messages"].as_array().unwrap().iter();
    let parts = messages.filter_map(|message| message["content"].as_array()).flatten();
    parts.filter_map(|part| part["image_url"]["url"].as_str()).map(str::to_owned).collect()
}

fn url(bytes: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes))
}

fn last_pictures(app: &TestApp) -> Vec<String> {
    pictures(app.model().requests().last().unwrap())
}

async fn execution(app: &TestApp, agent: &str) -> String {
    app.execution(agent).await["id"].as_str().unwrap().to_owned()
}

/// Shown requests of the execution's model calls, oldest first.
async fn traced(app: &TestApp, agent: &str) -> Vec<Value> {
    let execution = execution(app, agent).await;
    let events = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100")).await;
    let mut steps: Vec<i64> = events
        .data()
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["name"] == "llm.requested")
        .map(|event| event["step"].as_i64().unwrap())
        .collect();
    steps.sort_unstable();
    let mut shown = Vec::new();
    for step in steps {
        shown.push(
            app.get(&format!("/api/v1/executions/{execution}/steps/{step}")).await.data()["model_request"].clone(),
        );
    }
    shown
}

#[tokio::test]
async fn model_receives_the_picture_in_each_protocol_and_the_trace_its_marker() {
    for (name, pointer) in [
        ("OpenAI", "/messages/1/content/0/image_url/url"),
        ("Anthropic", "/messages/0/content/0/source/data"),
        ("Gemini", "/contents/0/parts/0/inlineData/data"),
    ] {
        let (app, agent) = talking(dialect(name)).await;
        shows(&app, &jpeg(1), "A sofa.").await;
        assert_eq!(last_pictures(&app), [url(&jpeg(1))], "{name}");
        assert_eq!(app.model().last_texts("user"), ["[image]\nthe sofa"], "{name}");
        let base64 = STANDARD.encode(jpeg(1));
        let body = app.model().received_bodies().last().unwrap().clone();
        assert!(body.pointer(pointer).unwrap().as_str().unwrap().ends_with(&base64), "{name}: {body:#}");
        // The trace differs from the request in the bytes of the picture alone.
        let shown = traced(&app, &agent).await.pop().unwrap();
        let message = app.messages().await.into_iter().find(|message| message["message_type"] == "image").unwrap();
        let sha256 = sha256(&jpeg(1));
        let marker = format!(
            "[picture of message {}: image/jpeg, {} bytes, SHA-256 {sha256}]",
            message["id"].as_str().unwrap(),
            jpeg(1).len()
        );
        let sent = app.model().bodies().last().unwrap().clone();
        assert_eq!(shown["body"], json!(sent.replace(&base64, &marker)), "{name}");
        // Neither journal nor history hold the bytes.
        let stored = app.stored_texts().await;
        assert!(!stored.iter().any(|text| text.contains(&base64)), "{name}");
        // A later turn shows it again, and the journal replays without it.
        app.model().says("Grey.");
        app.forward(Span::from_secs(1)).await;
        app.contact_sends(ANA, "Which colour?").await;
        app.run_until_idle().await;
        assert_eq!(last_pictures(&app), [url(&jpeg(1))], "{name}");
        let id: ExecutionId = execution(&app, &agent).await.parse().unwrap();
        assert_eq!(app.app.operator().replay(id).await.unwrap().difference, None, "{name}");
        assert_eq!(app.model().refused(), [], "{name}");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn server_that_refuses_pictures_is_asked_with_text_once_more() {
    for (name, refusals) in [("llama.cpp and Ollama", 1), ("vLLM", 1), ("DeepSeek", 0), ("Groq", 0)] {
        let (app, agent) = talking(dialect(name)).await;
        shows(&app, &jpeg(1), "I see no picture.").await;
        shows(&app, &jpeg(2), "Still none.").await;
        let refused = app.model().refused();
        let of_pictures = refused.iter().filter(|refused| refused.rule == "pictures").count();
        assert_eq!(of_pictures, refusals, "{name}: {refused:?}");
        assert!(last_pictures(&app).is_empty(), "{name}");
        let shown = traced(&app, &agent).await;
        let with_marker = shown.iter().filter(|shown| shown["body"].as_str().unwrap().contains("[picture of")).count();
        assert_eq!(with_marker, refusals, "{name}: the trace shows the picture where it was sent");
    }
}

#[tokio::test]
async fn picture_that_the_server_cannot_read_is_left_out_alone() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let words = |message: &str| json!({"error": {"message": message}});
    for (place, (status, body)) in [
        (400, words("Could not process image")),
        (400, words("something about the request that no table names")),
        (413, words("Payload too large")),
        (500, words("failed to decode")),
    ]
    .into_iter()
    .enumerate()
    {
        app.model().refuses(status, body);
        let bad = jpeg(u8::try_from(place).unwrap());
        shows(&app, &bad, "I could not open it.").await;
        assert!(!last_pictures(&app).contains(&url(&bad)), "{place}");
    }
    shows(&app, &jpeg(9), "A sofa.").await;
    assert_eq!(last_pictures(&app), [url(&jpeg(9))], "another picture is shown");
    app.model().refuses(400, words("At most 0 image(s) may be provided in one prompt."));
    shows(&app, &jpeg(10), "No.").await;
    assert!(last_pictures(&app).is_empty());
}

#[tokio::test]
async fn refusal_of_the_number_of_pictures_teaches_it() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    shows(&app, &jpeg(1), "One.").await;
    app.model().refuses(400, json!({"message": "At most 1 image(s) may be provided in one prompt."}));
    shows(&app, &jpeg(2), "Two.").await;
    assert_eq!(last_pictures(&app), [url(&jpeg(2))], "the newest stays");
}

#[tokio::test]
async fn newest_pictures_within_the_bounds_are_shown() {
    let (app, _) = talking(dialect("OpenAI")).await;
    for n in 0..6 {
        shows(&app, &jpeg(n), "ok").await;
    }
    let newest: Vec<String> = (2..6).map(|n| url(&jpeg(n))).collect();
    assert_eq!(last_pictures(&app), newest);
    // Too large for a request, and no picture by its bytes.
    let large = [jpeg(7), vec![0; 4 << 20]].concat();
    shows(&app, &large, "too large").await;
    shows(&app, b"<svg>", "not a picture").await;
    assert_eq!(last_pictures(&app), newest);
    app.model().says("A sticker.");
    app.forward(Span::from_secs(7)).await;
    let webp = b"RIFF\x1a\0\0\0WEBPVP8 ";
    phone_sends(&app, "sticker", "image/webp", webp, None).await;
    app.run_until_idle().await;
    assert_eq!(last_pictures(&app)[3], format!("data:image/webp;base64,{}", STANDARD.encode(webp)));
}

#[tokio::test]
async fn lost_and_deleted_pictures_leave_their_text() {
    let (app, _) = talking(dialect("OpenAI")).await;
    shows(&app, &jpeg(1), "A sofa.").await;
    let messages = app.messages().await;
    let message = messages.iter().find(|message| message["message_type"] == "image").unwrap();
    let path = format!("/api/v1/whatsapp_messages/{}", message["id"].as_str().unwrap());
    let deleted = app.call(Method::DELETE, &path, None).await;
    assert!(deleted.status < 300, "{} {}", deleted.status, deleted.body);
    app.model().says("ok");
    let lost =
        json!({"from": ANA, "type": "image", "image": {"id": "404"}, "phone_number_id": emulator::PHONE_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(lost)).await;
    app.run_until_idle().await;
    assert!(last_pictures(&app).is_empty());
    assert_eq!(app.model().last_texts("user"), ["[image]\nthe sofa", "[image]"]);
}

#[tokio::test]
async fn picture_that_the_contact_deleted_is_in_no_later_request() {
    let (app, _) = talking(dialect("OpenAI")).await;
    shows(&app, &jpeg(1), "A sofa.").await;
    assert_eq!(last_pictures(&app), [url(&jpeg(1))]);
    let chat = app.chat(ANA).await;
    let sent = chat.iter().find(|message| message["type"] == "image").unwrap();
    let revoke = json!({"from": ANA, "type": "revoke", "revoke": {"original_message_id": sent["id"]},
        "phone_number_id": emulator::PHONE_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(revoke)).await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(7)).await;
    app.model().says("ok");
    app.contact_sends(ANA, "and now?").await;
    app.run_until_idle().await;
    let request = app.model().requests().last().unwrap().to_string();
    assert!(last_pictures(&app).is_empty(), "{request}");
    assert!(!request.contains("the sofa") && request.contains("[deleted message]"), "{request}");
}

#[tokio::test]
async fn only_pictures_of_the_same_conversation_and_project_are_read() {
    let (app, _) = talking(dialect("OpenAI")).await;
    shows(&app, &jpeg(1), "A sofa.").await;
    let messages = app.messages().await;
    let message = messages.iter().find(|message| message["message_type"] == "image").unwrap();
    let id: MessageId = message["id"].as_str().unwrap().parse().unwrap();
    let conversation: ConversationId = app.conversation().await.parse().unwrap();
    let ctx = app.app.context();
    let found = async |project: ProjectId, conversation: ConversationId| {
        let named = ChatMessage::User { content: "[image]".into(), pictures: vec![id] };
        let mut request = ModelRequest { messages: vec![named], ..ModelRequest::default() };
        runtime::pictures::attach(ctx, project, conversation, &mut request).await.unwrap();
        let attached = request.pictures.len();
        request.pictures.clear();
        runtime::pictures::describe(ctx, project, conversation, &mut request).await.unwrap();
        (attached, request.pictures.len())
    };
    let project = app.project;
    let other = uuid::Uuid::from_u128(1);
    assert_eq!(found(project, conversation).await, (1, 1));
    assert_eq!(found(Id::from_uuid(other), conversation).await, (0, 0));
    assert_eq!(found(project, Id::from_uuid(other)).await, (0, 0));
}

#[tokio::test]
async fn picture_that_arrives_late_is_shown_by_a_later_request() {
    let (app, agent) = talking(dialect("OpenAI")).await;
    let broken = json!({"when": {"surface": "media_get"}, "trigger": {"next": 1}, "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(broken)).await;
    shows(&app, &jpeg(1), "I cannot see it yet.").await;
    assert!(last_pictures(&app).is_empty(), "the turn does not wait for another attempt");
    app.forward(Span::from_mins(1)).await;
    app.run_until_idle().await;
    app.model().says("A sofa.");
    app.contact_sends(ANA, "And now?").await;
    app.run_until_idle().await;
    assert_eq!(last_pictures(&app), [url(&jpeg(1))]);
    let shown = traced(&app, &agent).await;
    let held: Vec<bool> = shown.iter().map(|shown| shown["body"].as_str().unwrap().contains("[picture of")).collect();
    assert_eq!(held, [false, true], "the trace shows what was sent, not what is known now");
}
