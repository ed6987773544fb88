use serde_json::{Value, json};

use crate::harness::{ANA, Bench, blank, fixture};

/// Every example of a send, in the order of the fixtures.
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

async fn with_files() -> Bench {
    let bench = Bench::open().await;
    for (id, kind) in [
        ("700000000000050", "image/jpeg"),
        ("700000000000051", "application/pdf"),
        ("700000000000052", "audio/ogg; codecs=opus"),
        ("700000000000053", "image/webp"),
    ] {
        bench.file(id, kind).await;
    }
    bench
}

#[tokio::test]
async fn each_kind_of_message_is_answered_as_its_fixture_says() {
    let bench = with_files().await;
    bench
        .fault(json!({"surface": "send", "template": "promo_image"}), json!("always"), json!({"hold": {"ms": 1}}))
        .await;
    for name in SENDS {
        let example = fixture(name);
        let answer = bench.graph(example["request"]["path"].as_str().unwrap(), &example["request"]["json"]).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
        blank(&mut body, &["id"]);
        blank(&mut expected, &["id"]);
        assert_eq!(body, expected, "{name}");
        // One message in six seconds, or the pair rate ends the list.
        bench.seconds(6).await;
    }
    let chat = bench.chat("ana").await;
    let out = chat["messages"].as_array().unwrap().iter().filter(|message| message["direction"] == "out");
    assert_eq!(out.count(), SENDS.len() - 2, "reactions are no messages of their own");
}

#[tokio::test]
async fn a_reaction_of_the_business_is_on_the_message_and_only_sent() {
    let bench = Bench::open().await;
    let asked = bench.says("ana", "thanks").await;
    bench.callback.forget();
    let react = |emoji: &str| {
        json!({"messaging_product": "whatsapp", "to": ANA, "type": "reaction",
            "reaction": {"message_id": asked, "emoji": emoji}})
    };
    bench.send(&react("👍")).await.wamid();
    bench.seconds(5).await;
    assert_eq!(bench.callback.statuses(), ["sent"]);
    assert_eq!(bench.chat("ana").await["messages"][1]["reactions"], json!([{"from": "business", "emoji": "👍"}]));
    bench.send(&react("")).await.wamid();
    assert_eq!(bench.chat("ana").await["messages"][1]["reactions"], json!([]));
}

#[tokio::test]
async fn a_voice_note_is_played_and_not_read() {
    let bench = with_files().await;
    bench.put("/users/ana", json!({"auto_read_ms": 100})).await;
    bench.send(&fixture("ex-009-audio-voice")["request"]["json"]).await.wamid();
    bench.seconds(5).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered", "played"]);
}

fn message(kind: &str, node: Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": ANA, "type": kind, kind: node})
}

#[tokio::test]
async fn limits_are_exact_and_what_is_wrong_has_its_code() {
    let bench = with_files().await;
    bench.put("/limits", json!({"pair_rate": false})).await;
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
        assert_eq!(bench.send(&fits).await.status, 200, "{fits}");
        let refused = bench.send(&over).await;
        assert_eq!((refused.status, refused.code()), (400, 131_009), "{over}");
    }
    for (body, code) in [
        (message("image", json!({"id": "1"})), 131_053),
        (message("image", json!({})), 131_008),
        (json!({"messaging_product": "whatsapp", "to": ANA, "type": "image"}), 131_008),
        (message("location", json!({"latitude": 91, "longitude": 0})), 131_009),
    ] {
        assert_eq!(bench.send(&body).await.code(), code, "{body}");
    }
    let title = fixture("er-004-131009-button-title");
    assert_eq!(bench.send(&title["request"]["json"]).await.code(), 131_009);
}

#[tokio::test]
async fn a_link_that_cannot_be_fetched_fails_later() {
    let bench = Bench::open().await;
    bench.send(&message("image", json!({"link": "https://fail.example/a.jpg"}))).await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["failed"]);
    let error = bench.callback.received()[0].value()["statuses"][0]["errors"][0]["code"].clone();
    assert_eq!(error, 131_053);
}
