use serde_json::json;

use crate::harness::{ANA, Answer, Bench, blank, fixture, text_to};

#[tokio::test]
async fn a_text_is_answered_as_the_fixture_says_and_then_sent_and_delivered() {
    let bench = Bench::open().await;
    let example = fixture("ex-001-text");
    let answer = bench.graph(example["request"]["path"].as_str().unwrap(), &example["request"]["json"]).await;
    assert_eq!(answer.status, 200);
    let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
    blank(&mut body, &["id"]);
    blank(&mut expected, &["id"]);
    assert_eq!(body, expected);
    assert!(answer.wamid().starts_with("wamid.HBgNNTUxMTk5OTk5MDAwMRUCABEYE"));
    assert_eq!(answer.headers["facebook-api-version"], "v25.0");
    assert_eq!(answer.headers["x-fb-trace-id"].len(), 21);
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_business_scoped_id_is_a_recipient_and_comes_back_as_one() {
    let bench = Bench::open().await;
    bench.says("caro", "hola").await;
    let example = fixture("ex-004-text-bsuid");
    let answer = bench.send(&example["request"]["json"]).await;
    let (mut body, mut expected) = (answer.json(), example["response"]["body"].clone());
    blank(&mut body, &["id"]);
    blank(&mut expected, &["id"]);
    assert_eq!(body, expected);
    assert!(answer.wamid().starts_with("wamid.HBgBMBUCABEYE"));
}

#[tokio::test]
async fn the_version_in_the_path_is_optional_and_echoed() {
    let bench = Bench::open().await;
    for (path, version) in [("/100000000000001/messages", "v25.0"), ("/v23.0/100000000000001/messages", "v23.0")] {
        let answer = bench.graph(path, &text_to(ANA, "x")).await;
        assert_eq!((answer.status, answer.headers["facebook-api-version"].to_str().unwrap()), (200, version));
    }
}

#[tokio::test]
async fn a_text_of_4096_characters_is_accepted_and_one_of_4097_refused() {
    let bench = Bench::open().await;
    // Characters, not bytes.
    assert_eq!(bench.text(ANA, &"é".repeat(4096)).await.status, 200);
    let refused = bench.text(ANA, &"é".repeat(4097)).await;
    assert_eq!((refused.status, refused.code()), (400, 100));
    assert_eq!(bench.sent_to("ana").await.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_send_is_named() {
    let bench = Bench::open().await;
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
        (json!({"messaging_product": "whatsapp", "recipient": "nobody", "text": text}), 131_009),
        (json!({"messaging_product": "whatsapp", "to": "+1 555-000-1111", "text": text}), 131_021),
        (
            json!({"messaging_product": "whatsapp", "to": ANA, "text": text, "biz_opaque_callback_data": "x".repeat(513)}),
            100,
        ),
        (json!({"messaging_product": "whatsapp", "to": ANA, "type": "hologram", "text": text}), 100),
    ];
    for (body, code) in cases {
        let answer = bench.send(&body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
        let error = &answer.json()["error"];
        assert!(error["fbtrace_id"].as_str().unwrap().starts_with('A'));
        assert!(error["type"].is_string());
    }
    assert!(bench.sent_to("ana").await.is_empty());
}

#[tokio::test]
async fn only_the_emulators_token_is_accepted_in_the_header_or_the_query() {
    let bench = Bench::open().await;
    let url = format!("{}/v25.0/100000000000001/messages", bench.emulator.url());
    let message = text_to(ANA, "x");
    let refused = [
        bench.http.post(&url).json(&message),
        bench.http.post(&url).bearer_auth("EAAOTHER").json(&message),
        bench.http.post(format!("{url}?access_token=EAAOTHER")).json(&message),
    ];
    for request in refused {
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (401, 190));
    }
    let accepted = bench.http.post(format!("{url}?access_token={}", emulator::ACCESS_TOKEN)).json(&message);
    assert_eq!(accepted.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn calls_that_are_not_emulated_yet_are_refused_by_name_and_logged() {
    let bench = Bench::open().await;
    let answer = bench.graph("/v25.0/300000000000001/uploads", &json!({})).await;
    assert_eq!((answer.status, answer.code()), (400, 100));
    let details = answer.json()["error"]["error_data"]["details"].clone();
    assert_eq!(details, "POST /v25.0/300000000000001/uploads is not emulated yet.");
    let log = bench.get("/requests?since=0").await;
    assert_eq!(log["requests"][0]["unimplemented"], true);
}

#[tokio::test]
async fn an_unknown_path_is_404_with_code_2500() {
    let bench = Bench::open().await;
    for path in ["/v25.0/100000000000001/nonsense", "/", "/v25.0/me/things/more"] {
        let answer = bench.graph(path, &json!({})).await;
        assert_eq!((answer.status, answer.code()), (404, 2500), "{path}");
    }
}

#[tokio::test]
async fn a_reply_and_an_alias_are_kept_in_the_chat() {
    let bench = Bench::open().await;
    let asked = bench.says("ana", "open on Saturday?").await;
    bench.put("/users/ana", json!({"dial_aliases": ["551199990001"]})).await;
    let mut message = text_to("+55 11 9999-0001", "yes");
    message["context"] = json!({"message_id": asked});
    let answer = bench.send(&message).await;
    assert_eq!(answer.json()["contacts"], json!([{"input": "+55 11 9999-0001", "wa_id": ANA}]));
    let chat = bench.chat("ana").await;
    assert_eq!(chat["messages"][2]["reply_to"], json!(asked));
    assert_eq!(chat["messages"][2]["content"], json!({"body": "yes"}));
}
