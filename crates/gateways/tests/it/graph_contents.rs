//! All contents of messages in the wire format of the fixtures.

use crate::fixtures;
use gateways::whatsapp::{
    Content, Outgoing, Recipient,
    send::{Button, Interactive, Media, MediaKind, MediaSource, Row, Section, TemplateSend},
};
use serde_json::{Value, json};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn media(kind: MediaKind, source: MediaSource) -> Media {
    Media { kind, source, caption: None, filename: None, voice: false }
}

fn id(text: &str) -> MediaSource {
    MediaSource::Id(text.to_owned())
}

fn link(text: &str) -> MediaSource {
    MediaSource::Link(text.to_owned())
}

fn template(name: &str, language: &str, components: Vec<Value>) -> Content {
    Content::Template(TemplateSend { name: name.to_owned(), language: language.to_owned(), components })
}

const INBOUND: &str = "wamid.HBgNNTUxMTk5OTk5MDAwMRUCABIYFDQ2RDBDNEYwNTQzNTY3QTY2QUIzAA==";

fn contents() -> Vec<(&'static str, Content)> {
    let button = |id: &str, title: &str| Button { id: id.to_owned(), title: title.to_owned() };
    let row = |id: &str, title: &str, description: Option<&str>| Row {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.map(str::to_owned),
    };
    let other = |file: &str| Content::Interactive {
        interactive: Interactive::Other { node: fixtures::load(file)["request"]["json"]["interactive"].clone() },
    };
    vec![
        (
            "ex-006-image-id.json",
            Content::Media(Media { caption: some("catálogo"), ..media(MediaKind::Image, id("700000000000050")) }),
        ),
        ("ex-007-image-link.json", Content::Media(media(MediaKind::Image, link("https://media.example/a.jpg")))),
        (
            "ex-008-document.json",
            Content::Media(Media {
                caption: some("nota"),
                filename: some("nota.pdf"),
                ..media(MediaKind::Document, id("700000000000051"))
            }),
        ),
        (
            "ex-009-audio-voice.json",
            Content::Media(Media { voice: true, ..media(MediaKind::Audio, id("700000000000052")) }),
        ),
        (
            "ex-010-video.json",
            Content::Media(Media {
                caption: some("v"),
                ..media(MediaKind::Video, link("https://media.example/v.mp4"))
            }),
        ),
        ("ex-011-sticker.json", Content::Media(media(MediaKind::Sticker, id("700000000000053")))),
        (
            "ex-012-location.json",
            Content::Location { latitude: -23.55, longitude: -46.63, name: some("Loja"), address: some("Rua A, 1") },
        ),
        (
            "ex-013-contacts.json",
            Content::Contacts {
                contacts: vec![json!({
                    "name": {"formatted_name": "Suporte", "first_name": "Suporte"},
                    "phones": [{"phone": "+15550001111", "type": "WORK", "wa_id": "15550001111"}],
                })],
            },
        ),
        ("ex-014-reaction.json", Content::Reaction { message_id: INBOUND.to_owned(), emoji: String::from("👍") }),
        ("ex-015-reaction-remove.json", Content::Reaction { message_id: INBOUND.to_owned(), emoji: String::new() }),
        (
            "ex-016-buttons.json",
            Content::Interactive {
                interactive: Interactive::Buttons {
                    header: Some(json!({"type": "text", "text": "Ajuda"})),
                    body: String::from("Como posso ajudar?"),
                    footer: some("Loja Exemplo"),
                    buttons: vec![button("opt:0", "Pedido"), button("opt:1", "Troca"), button("opt:2", "Humano")],
                },
            },
        ),
        (
            "ex-017-list.json",
            Content::Interactive {
                interactive: Interactive::List {
                    header: None,
                    body: String::from("Escolha"),
                    footer: None,
                    button: String::from("Ver opções"),
                    sections: vec![Section {
                        title: some("Pedidos"),
                        rows: vec![row("row:1", "Rastrear", Some("Onde está")), row("row:2", "Troca", None)],
                    }],
                },
            },
        ),
        ("ex-018-cta-url.json", other("ex-018-cta-url.json")),
        ("ex-019-flow.json", other("ex-019-flow.json")),
        ("ex-020-location-request.json", other("ex-020-location-request.json")),
        ("ex-021-template-plain.json", template("hello_world", "en_US", vec![])),
        (
            "ex-022-template-positional.json",
            template("order_update", "pt_BR", vec![TemplateSend::body_texts(["Ana", "A-17"])]),
        ),
        (
            "ex-023-template-named.json",
            template(
                "order_update_named",
                "pt_BR",
                vec![TemplateSend::named_body_texts([("customer_name", "Ana"), ("order_id", "A-17")])],
            ),
        ),
        (
            "ex-024-template-media-buttons.json",
            template(
                "promo_image",
                "pt_BR",
                vec![
                    TemplateSend::header_media(MediaKind::Image, &link("https://media.example/p.jpg"), Some("p.jpg")),
                    TemplateSend::body_texts(["Ana"]),
                    json!({"type": "button", "sub_type": "url", "index": "0",
                        "parameters": [{"type": "text", "text": "promo/1"}]}),
                    json!({"type": "button", "sub_type": "quick_reply", "index": "1",
                        "parameters": [{"type": "payload", "payload": "STOP"}]}),
                ],
            ),
        ),
    ]
}

#[test]
fn contents_are_sent_as_in_their_fixtures() {
    for (file, content) in contents() {
        let expected = fixtures::load(file)["request"]["json"].clone();
        assert_eq!(content.problems(), [], "{file}");
        let outgoing = Outgoing {
            to: Recipient::Phone(String::from("5511999990001")),
            content,
            reply_to: None,
            opaque: String::new(),
        };
        assert_eq!(outgoing.to_json(), expected, "{file}");
    }
}

#[test]
fn contents_survive_serialization() {
    let text = Content::Text { body: String::from("x"), preview_url: true };
    for content in contents().into_iter().map(|(_, content)| content).chain([text]) {
        let stored = serde_json::to_value(&content).unwrap();
        assert_eq!(serde_json::from_value::<Content>(stored.clone()).unwrap(), content, "{stored}");
    }
}

#[test]
fn reply_quotes_its_message() {
    let outgoing = Outgoing {
        to: Recipient::Phone(String::from("5511999990001")),
        content: Content::Text { body: String::from("abrimos sim"), preview_url: false },
        reply_to: Some(INBOUND.to_owned()),
        opaque: String::new(),
    };
    assert_eq!(outgoing.to_json(), fixtures::load("ex-005-reply.json")["request"]["json"]);
}

#[test]
fn only_documents_have_a_header_filename() {
    let header = TemplateSend::header_media(MediaKind::Document, &id("1"), Some("a.pdf"));
    assert_eq!(
        header,
        json!({"type": "header", "parameters": [{"type": "document", "document": {"id": "1", "filename": "a.pdf"}}]})
    );
    assert_eq!(
        TemplateSend::header_text("x"),
        json!({"type": "header", "parameters": [{"type": "text", "text": "x"}]})
    );
}
