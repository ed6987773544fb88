use serde_json::json;

use crate::harness::{ANA, Answer, Harness, blank, fixture, text_to};

#[tokio::test]
async fn text_matches_fixture_and_is_delivered() {
    let harness = Harness::open().await;
    let example = fixture("ex-001-text");
    let answer = harness.graph(example["request"]["path"].as_str().unwrap(), &example["request"]["json"]).await;
    assert_eq!(answer.status, 200);
    let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
    blank(&mut body, &["id"]);
    blank(&mut expected, &["id"]);
    assert_eq!(body, expected);
    assert!(answer.wamid().starts_with("wamid.HBgNNTUxMTk5OTk5MDAwMRUCABEYE"));
    assert_eq!(answer.headers["facebook-api-version"], "v25.0");
    assert_eq!(answer.headers["x-fb-trace-id"].len(), 21);
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn business_scoped_id_is_accepted_as_recipient() {
    let harness = Harness::open().await;
    harness.contact_sends("caro", "hola").await;
    let example = fixture("ex-004-text-bsuid");
    let answer = harness.send(&example["request"]["json"]).await;
    let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
    blank(&mut body, &["id"]);
    blank(&mut expected, &["id"]);
    assert_eq!(body, expected);
    assert!(answer.wamid().starts_with("wamid.HBgBMBUCABEYE"));
}

#[tokio::test]
async fn version_in_path_is_optional_and_echoed() {
    let harness = Harness::open().await;
    for (path, version) in [("/100000000000001/messages", "v25.0"), ("/v23.0/100000000000001/messages", "v23.0")] {
        let answer = harness.graph(path, &text_to(ANA, "x")).await;
        assert_eq!((answer.status, answer.headers["facebook-api-version"].to_str().unwrap()), (200, version));
    }
}

#[tokio::test]
async fn text_may_have_4096_characters() {
    let harness = Harness::open().await;
    // The limit counts characters, not bytes.
    assert_eq!(harness.text(ANA, &"é".repeat(4096)).await.status, 200);
    let refused = harness.text(ANA, &"é".repeat(4097)).await;
    assert_eq!((refused.status, refused.code()), (400, 100));
    assert_eq!(harness.sent_to("ana").await.len(), 1);
}

#[tokio::test]
async fn invalid_sends_get_their_error_codes() {
    let harness = Harness::open().await;
    let text = json!({"body": "x"});
    let cases = [
        (json!([1]), 100),
        (json!({"to": ANA, "text": text}), 100),
        (json!({"messaging_product": "whatsapp", "to": ANA}), 131_008),
        (json!({"messaging_product": "whatsapp", "to": ANA, "text": {}}), 131_008),
        (json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": 5}}), 100),
        (json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": ""}}), 100),
        (json!({"messaging_product": "whatsapp", "to": 5, "text": text}), 100),
        (json!({"messaging_product": "whatsapp", "to": "12345", "text": text}), 131_009),
        (json!({"messaging_product": "whatsapp", "recipient": "unknown", "text": text}), 131_009),
        (json!({"messaging_product": "whatsapp", "to": "+1 555-000-1111", "text": text}), 131_021),
        (
            json!({"messaging_product": "whatsapp", "to": ANA, "text": text, "biz_opaque_callback_data": "x".repeat(513)}),
            100,
        ),
        (json!({"messaging_product": "whatsapp", "to": ANA, "type": "hologram", "text": text}), 100),
    ];
    for (body, code) in cases {
        let answer = harness.send(&body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
        let error = &answer.json()["error"];
        assert!(error["fbtrace_id"].as_str().unwrap().starts_with('A'));
        assert!(error["type"].is_string());
    }
    assert!(harness.sent_to("ana").await.is_empty());
}

#[tokio::test]
async fn known_token_is_accepted_in_header_or_query() {
    let harness = Harness::open().await;
    let url = format!("{}/v25.0/100000000000001/messages", harness.emulator.url());
    let message = text_to(ANA, "x");
    let refused = [
        harness.http.post(&url).json(&message),
        harness.http.post(&url).bearer_auth("EAAOTHER").json(&message),
        harness.http.post(format!("{url}?access_token=EAAOTHER")).json(&message),
    ];
    for request in refused {
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (401, 190));
    }
    let accepted = harness.http.post(format!("{url}?access_token={}", emulator::ACCESS_TOKEN)).json(&message);
    assert_eq!(accepted.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn unimplemented_calls_are_refused_and_logged() {
    let harness = Harness::open().await;
    let answer = harness.graph("/v25.0/300000000000001/uploads", &json!({})).await;
    assert_eq!((answer.status, answer.code()), (400, 100));
    let details = answer.json()["error"]["error_data"]["details"].clone();
    assert_eq!(details, "POST /v25.0/300000000000001/uploads is not emulated yet.");
    let log = harness.get("/requests?since=0").await;
    assert_eq!(log["requests"][0]["unimplemented"], true);
}

#[tokio::test]
async fn unknown_path_gets_404_with_code_2500() {
    let harness = Harness::open().await;
    for path in ["/v25.0/100000000000001/nonsense", "/", "/v25.0/me/things/more"] {
        let answer = harness.graph(path, &json!({})).await;
        assert_eq!((answer.status, answer.code()), (404, 2500), "{path}");
    }
}

#[tokio::test]
async fn reply_and_dialled_alias_are_stored_in_the_chat() {
    let harness = Harness::open().await;
    let asked = harness.contact_sends("ana", "open on Saturday?").await;
    harness.put("/users/ana", json!({"dial_aliases": ["551199990001"]})).await;
    let mut message = text_to("+55 11 9999-0001", "yes");
    message["context"] = json!({"message_id": asked});
    let answer = harness.send(&message).await;
    assert_eq!(answer.json()["contacts"], json!([{"input": "+55 11 9999-0001", "wa_id": ANA}]));
    let chat = harness.chat("ana").await;
    assert_eq!(chat["messages"][2]["reply_to"], json!(asked));
    assert_eq!(chat["messages"][2]["content"], json!({"body": "yes"}));
}
