//! Graph API client against the emulator.

use emulator::{ACCESS_TOKEN, APP_ID, ClockMode, Config, Emulator, PHONE_NUMBER_ID, WABA_ID};
use gateways::whatsapp::{
    CallError, Content, ErrorClass, GraphClient, Outgoing, Recipient, SendOutcome,
    media::{MediaError, Upload},
    send::{Button, Interactive, Media, MediaKind, MediaSource, Row, Section, TemplateSend},
    templates::{NewTemplate, TemplateEdit, is_taken},
};
use secrecy::SecretString;
use serde_json::{Value, json};

const ANA: &str = "5511999990001";

struct Pair {
    emulator: Emulator,
    client: GraphClient,
    token: SecretString,
}

async fn start() -> Pair {
    let config = Config { clock: ClockMode::Manual, ..Config::default() };
    let emulator = emulator::start(config).await.unwrap();
    let client = GraphClient::new(&emulator.url(), "v25.0").unwrap();
    Pair { emulator, client, token: SecretString::from(ACCESS_TOKEN) }
}

impl Pair {
    async fn control(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let url = format!("{}/_emulator/v1{path}", self.emulator.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.request(method, url).body(body.to_string()).send().await.unwrap().json().await.unwrap()
    }

    async fn chat(&self) -> Vec<Value> {
        let chat = self.control(reqwest::Method::GET, &format!("/chats/{PHONE_NUMBER_ID}/ana"), json!({})).await;
        chat["messages"].as_array().unwrap().clone()
    }

    async fn send(&self, content: Content) -> SendOutcome {
        assert_eq!(content.problems(), []);
        let to = Recipient::Phone(ANA.to_owned());
        let message = Outgoing { to, content, reply_to: None, opaque: String::from("o1") };
        let outcome = self.client.send(PHONE_NUMBER_ID, &self.token, &message).await;
        self.emulator.advance(6_000).await;
        outcome
    }
}

fn template(name: &str, texts: &[&str]) -> Content {
    let body = TemplateSend::body_texts(texts.iter().copied());
    Content::Template(TemplateSend { name: name.to_owned(), language: String::from("pt_BR"), components: vec![body] })
}

#[tokio::test]
async fn all_content_types_are_delivered() {
    let pair = start().await;
    pair.control(reqwest::Method::POST, "/inbound", json!({"from": "ana", "text": "hi"})).await;
    let upload = Upload {
        mime_type: String::from("image/png"),
        filename: String::from("a.png"),
        bytes: vec![7; 300_000].into(),
    };
    let id = pair.client.upload_media(PHONE_NUMBER_ID, &pair.token, &upload).await.unwrap();
    let media = |kind, source| Content::Media(Media { kind, source, caption: None, filename: None, voice: false });
    let link = MediaSource::Link(String::from("https://media.example/a"));
    let contents = vec![
        Content::Text { body: String::from("hello"), preview_url: false },
        media(MediaKind::Image, MediaSource::Id(id)),
        media(MediaKind::Video, link.clone()),
        media(MediaKind::Document, link),
        Content::Location { latitude: 1.5, longitude: -2.5, name: None, address: None },
        Content::Contacts { contacts: vec![json!({"name": {"formatted_name": "A B", "first_name": "A"}})] },
        Content::Interactive {
            interactive: Interactive::Buttons {
                header: None,
                body: String::from("Which?"),
                footer: Some(String::from("f")),
                buttons: vec![Button { id: String::from("b1"), title: String::from("Blue") }],
            },
        },
        Content::Interactive {
            interactive: Interactive::List {
                header: None,
                body: String::from("Which?"),
                footer: None,
                button: String::from("Show"),
                sections: vec![Section {
                    title: None,
                    rows: vec![Row { id: String::from("r1"), title: String::from("Red"), description: None }],
                }],
            },
        },
        template("order_update", &["Ana", "A-17"]),
    ];
    let kinds: Vec<&str> = contents.iter().map(Content::kind).collect();
    for content in contents.clone() {
        let kind = content.kind();
        let outcome = pair.send(content).await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{kind}: {outcome:?}");
    }
    let out: Vec<Value> = pair.chat().await.into_iter().filter(|message| message["direction"] == "out").collect();
    let shown: Vec<&str> = out.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(shown, kinds);
    assert!(out.iter().all(|message| message["statuses"][1]["status"] == "delivered"), "{out:?}");
    assert_eq!(out[8]["content"]["rendered"]["body"], "Oi Ana, o pedido A-17 saiu para entrega hoje.");
    let asked = pair.chat().await[0]["id"].as_str().unwrap().to_owned();
    let reaction = Content::Reaction { message_id: asked.clone(), emoji: String::from("👍") };
    assert!(matches!(pair.send(reaction).await, SendOutcome::Accepted { .. }));
    assert_eq!(pair.chat().await[0]["reactions"][0]["emoji"], "👍");
    assert!(pair.client.mark_read(PHONE_NUMBER_ID, &pair.token, &asked, true).await);
}

#[tokio::test]
async fn template_can_be_created_found_sent_edited_and_deleted() {
    let pair = start().await;
    let (client, token) = (&pair.client, &pair.token);
    let before = client.templates(WABA_ID, token).await.unwrap().len();
    let body = json!({"type": "BODY", "text": "Oi {{1}}, pode vir.", "example": {"body_text": [["Ana"]]}});
    let new = NewTemplate {
        name: String::from("ready"),
        language: String::from("pt_BR"),
        category: String::from("UTILITY"),
        parameter_format: Some(String::from("POSITIONAL")),
        components: vec![body],
        allow_category_change: false,
    };
    let created = client.create_template(WABA_ID, token, &new).await.unwrap();
    assert_eq!(created.status, "PENDING");
    let pending = pair.send(template("ready", &["Ana"])).await;
    assert!(matches!(pending, SendOutcome::Refused { code: Some(132_001), .. }), "{pending:?}");
    let found = client.template(&created.id, token).await.unwrap();
    assert_eq!((found.status.as_str(), found.components.len()), ("APPROVED", 1));
    assert_eq!(client.templates(WABA_ID, token).await.unwrap().len(), before + 1);
    assert!(matches!(pair.send(template("ready", &["Ana"])).await, SendOutcome::Accepted { .. }));
    let few = pair.send(template("ready", &[])).await;
    assert!(matches!(few, SendOutcome::Refused { code: Some(132_000), class: ErrorClass::Permanent, .. }), "{few:?}");
    let twice = client.create_template(WABA_ID, token, &new).await.unwrap_err();
    assert!(matches!(twice, CallError::Refused { subcode: Some(2_388_024), .. }), "{twice:?}");
    let named = async |name: &str, language: &str| client.template_named(WABA_ID, token, name, language).await.unwrap();
    assert_eq!(named("ready", "pt_BR").await.map(|template| template.id), Some(created.id.clone()));
    assert_eq!(
        (named("read", "pt_BR").await, named("ready", "en_US").await),
        (None, None),
        "substring of the name, other language"
    );
    assert!(is_taken(&twice));
    let components = [json!({"type": "BODY", "text": "Pode vir."})];
    let edit = TemplateEdit { components: Some(&components), ..TemplateEdit::default() };
    let edited = client.edit_template(&created.id, token, &edit).await;
    assert_eq!(edited.unwrap().id, created.id);
    client.delete_template(WABA_ID, token, "ready", None).await.unwrap();
    client.delete_template(WABA_ID, token, "ready", None).await.unwrap();
    assert!(client.template(&created.id, token).await.unwrap_err().is_missing_object());
}

#[tokio::test]
async fn number_token_and_subscription_are_read() {
    let pair = start().await;
    let (client, token) = (&pair.client, &pair.token);
    let number = client.number(PHONE_NUMBER_ID, token).await.unwrap();
    assert_eq!(number.status.as_deref(), Some("CONNECTED"));
    assert_eq!(number.display_phone_number.as_deref(), Some("+1 555-000-1111"));
    assert_eq!(number.health.unwrap().can_send_message, "AVAILABLE");
    assert_eq!(client.numbers(WABA_ID, token).await.unwrap()[0].id, PHONE_NUMBER_ID);
    let limited = json!({"can_send_message": "BLOCKED", "quality_rating": "RED"});
    pair.control(reqwest::Method::PATCH, &format!("/phone_numbers/{PHONE_NUMBER_ID}"), limited).await;
    let number = client.number(PHONE_NUMBER_ID, token).await.unwrap();
    let health = number.health.unwrap();
    assert_eq!((number.quality_rating.as_deref(), health.can_send_message.as_str()), (Some("RED"), "BLOCKED"));
    assert_eq!(health.reasons.len(), 1);
    let info = client.token_info(token).await.unwrap();
    assert!(info.valid && info.targets == [WABA_ID] && info.scopes.len() == 2);
    assert!(client.subscribed_apps(WABA_ID, token).await.unwrap().is_empty());
    client.subscribe(WABA_ID, token, None).await.unwrap();
    assert_eq!(client.subscribed_apps(WABA_ID, token).await.unwrap(), [APP_ID]);
    client.unsubscribe(WABA_ID, token).await.unwrap();
    assert!(client.subscribed_apps(WABA_ID, token).await.unwrap().is_empty());
    let wrong = client.number("999", token).await.unwrap_err();
    assert!(wrong.is_missing_object(), "{wrong:?}");
    let stranger = client.number(PHONE_NUMBER_ID, &SecretString::from("EAAOTHER")).await.unwrap_err();
    assert!(matches!(stranger, CallError::Refused { class: ErrorClass::Auth, .. }), "{stranger:?}");
}

#[tokio::test]
async fn inbound_media_can_be_fetched_for_a_week() {
    let pair = start().await;
    let (client, token) = (&pair.client, &pair.token);
    let file = json!({"base64": "aGVsbG8=", "mime_type": "text/plain", "filename": "a.txt"});
    let answer = pair.control(reqwest::Method::POST, "/inbound/media", file).await;
    let id = answer["media_id"].as_str().unwrap();
    let (info, mut download) = client.fetch_media(id, PHONE_NUMBER_ID, token, 100).await.unwrap();
    let bytes = download.next().await.unwrap().unwrap();
    assert_eq!((info.mime_type.as_str(), &bytes[..]), ("text/plain", &b"hello"[..]));
    assert_eq!(download.next().await, Ok(None), "the announced size is complete");
    // `fetch_media` looks an expired URL up again; `download_media` alone reports it as missing.
    pair.emulator.advance(5 * 60_000).await;
    let missing = |error| matches!(error, MediaError::Call(error) if error.is_missing_object());
    assert!(missing(client.download_media(&info, token, 100).await.unwrap_err()));
    client.fetch_media(id, PHONE_NUMBER_ID, token, 100).await.unwrap();
    pair.emulator.advance(7 * 24 * 3_600_000).await;
    assert!(missing(client.fetch_media(id, PHONE_NUMBER_ID, token, 100).await.unwrap_err()));
}
