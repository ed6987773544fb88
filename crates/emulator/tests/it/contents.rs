use serde_json::{Value, json};

use crate::harness::{ANA, Harness, blank, fixture};

/// Send examples, in the order of the fixtures.
const SENDS: [&str; 20] = [
    "ex-005-reply",
    "ex-006-image-id",
    "ex-007-image-link",
    "ex-008-document",
    "ex-009-audio-voice",
    "ex-010-video",
    "ex-011-sticker",
    "ex-012-location",
    "ex-013-contacts",
    "ex-014-reaction",
    "ex-015-reaction-remove",
    "ex-016-buttons",
    "ex-017-list",
    "ex-018-cta-url",
    "ex-019-flow",
    "ex-020-location-request",
    "ex-021-template-plain",
    "ex-022-template-positional",
    "ex-023-template-named",
    "ex-024-template-media-buttons",
];

async fn with_files() -> Harness {
    let harness = Harness::open().await;
    for (id, kind) in [
        ("700000000000050", "image/jpeg"),
        ("700000000000051", "application/pdf"),
        ("700000000000052", "audio/ogg; codecs=opus"),
        ("700000000000053", "image/webp"),
    ] {
        harness.file(id, kind).await;
    }
    harness
}

#[tokio::test]
async fn answers_to_each_message_type_match_fixtures() {
    let harness = with_files().await;
    harness
        .fault(json!({"surface": "send", "template": "promo_image"}), json!("always"), json!({"hold": {"ms": 1}}))
        .await;
    for name in SENDS {
        let example = fixture(name);
        let answer = harness.graph(example["request"]["path"].as_str().unwrap(), &example["request"]["json"]).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
        blank(&mut body, &["id"]);
        blank(&mut expected, &["id"]);
        assert_eq!(body, expected, "{name}");
        // The pair rate allows one message in six seconds.
        harness.seconds(6).await;
    }
    let chat = harness.chat("ana").await;
    let out = chat["messages"].as_array().unwrap().iter().filter(|message| message["direction"] == "out");
    assert_eq!(out.count(), SENDS.len() - 2, "reactions are not listed as messages");
}

#[tokio::test]
async fn business_reaction_is_attached_to_its_message_and_reports_only_sent() {
    let harness = Harness::open().await;
    let asked = harness.contact_sends("ana", "thanks").await;
    harness.callback.forget();
    let react = |emoji: &str| {
        json!({"messaging_product": "whatsapp", "to": ANA, "type": "reaction",
            "reaction": {"message_id": asked, "emoji": emoji}})
    };
    harness.send(&react("👍")).await.wamid();
    harness.seconds(5).await;
    assert_eq!(harness.callback.statuses(), ["sent"]);
    assert_eq!(harness.chat("ana").await["messages"][1]["reactions"], json!([{"from": "business", "emoji": "👍"}]));
    harness.send(&react("")).await.wamid();
    assert_eq!(harness.chat("ana").await["messages"][1]["reactions"], json!([]));
}

#[tokio::test]
async fn voice_message_reports_played_instead_of_read() {
    let harness = with_files().await;
    harness.put("/users/ana", json!({"auto_read_ms": 100})).await;
    harness.send(&fixture("ex-009-audio-voice")["request"]["json"]).await.wamid();
    harness.seconds(5).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered", "played"]);
}

fn message(kind: &str, node: Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": ANA, "type": kind, kind: node})
}

#[tokio::test]
async fn content_limits_are_exact_and_errors_have_their_codes() {
    let harness = with_files().await;
    harness.put("/limits", json!({"pair_rate": false})).await;
    let buttons = |count: usize, title: usize| {
        let list: Vec<Value> = (0..count)
            .map(|at| json!({"type": "reply", "reply": {"id": at.to_string(), "title": format!("{at}{}", "x".repeat(title - 1))}}))
            .collect();
        message("interactive", json!({"type": "button", "body": {"text": "b"}, "action": {"buttons": list}}))
    };
    let list = |rows: usize| {
        let rows: Vec<Value> = (0..rows).map(|at| json!({"id": at.to_string(), "title": "t"})).collect();
        message(
            "interactive",
            json!({"type": "list", "body": {"text": "b"}, "action": {"button": "b", "sections": [{"rows": rows}]}}),
        )
    };
    let footer = |length: usize| {
        message(
            "interactive",
            json!({"type": "button", "body": {"text": "b"}, "footer": {"text": "f".repeat(length)},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "t"}}]}}),
        )
    };
    let caption = |length: usize| message("image", json!({"id": "700000000000050", "caption": "c".repeat(length)}));
    for (fits, over) in [
        (buttons(3, 20), buttons(4, 20)),
        (buttons(3, 20), buttons(3, 21)),
        (list(10), list(11)),
        (footer(60), footer(61)),
        (caption(1_024), caption(1_025)),
    ] {
        assert_eq!(harness.send(&fits).await.status, 200, "{fits}");
        let refused = harness.send(&over).await;
        assert_eq!((refused.status, refused.code()), (400, 131_009), "{over}");
    }
    for (body, code) in [
        (message("image", json!({"id": "1"})), 131_053),
        (message("image", json!({})), 131_008),
        (json!({"messaging_product": "whatsapp", "to": ANA, "type": "image"}), 131_008),
        (message("location", json!({"latitude": 91, "longitude": 0})), 131_009),
    ] {
        assert_eq!(harness.send(&body).await.code(), code, "{body}");
    }
    let title = fixture("er-004-131009-button-title");
    assert_eq!(harness.send(&title["request"]["json"]).await.code(), 131_009);
}

#[tokio::test]
async fn unreachable_media_link_fails_in_a_status() {
    let harness = Harness::open().await;
    harness.send(&message("image", json!({"link": "https://fail.example/a.jpg"}))).await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["failed"]);
    let error = harness.callback.received()[0].value()["statuses"][0]["errors"][0]["code"].clone();
    assert_eq!(error, 131_053);
}
