//! Uploaded files of messages: from the form to the phone, through failures and crashes.

use super::{details, last_on_phone, shown, talking};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest of a picture";

/// Builds a form with these fields and one file.
fn form(boundary: &str, fields: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    if let Some((filename, kind, bytes)) = file {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"message[media_file]\"; filename=\"{filename}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(&[head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

async fn post(app: &TestApp, path: &str, key: Option<&str>, boundary: &str, body: Vec<u8>) -> Answer {
    let mut request = app.request(Method::POST, path).body(body);
    request = request.header("content-type", format!("multipart/form-data; boundary={boundary}"));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    Answer { status, body: response.json().await.unwrap_or_default(), headers }
}

/// Number of stored file chunks.
async fn pieces(app: &TestApp) -> i64 {
    let mut reader = app.app.context().store.read().await.unwrap();
    store::census::pieces(&mut reader.conn()).await.unwrap()
}

/// Looks up a media id at WhatsApp.
async fn at_meta(app: &TestApp, id: &Value) -> Value {
    let url = format!("{}/v25.0/{}", app.emulator.url(), id.as_str().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(url).bearer_auth(emulator::ACCESS_TOKEN).send().await.unwrap().json().await.unwrap()
}

async fn fault(app: &TestApp, surface: &str, what: Value) {
    let rule = json!({"when": {"surface": surface}, "trigger": {"next": 1}, "do": what});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
}

#[tokio::test]
async fn file_arrives_unchanged_and_its_stored_copy_is_deleted() {
    let (app, path) = talking().await;
    // Larger than one chunk, and contains text like a boundary.
    let large = [b"%PDF-1.7 \r\n--b\r\n--".as_slice(), &vec![7; 1_300_000]].concat();
    for (kind, fields, file, mime, filename) in [
        (
            "image",
            &[("message[caption]", "the sofa")][..],
            ("sofa.png", "application/octet-stream", PNG),
            "image/png",
            None,
        ),
        ("video", &[], ("clip", "video/mp4", &b"\0\0\0\x18ftypmp42...."[..]), "video/mp4", None),
        ("audio", &[], ("note.ogg", "audio/ogg", &b"OggS...."[..]), "audio/ogg", None),
        ("document", &[], ("../../bill.pdf", "application/pdf", &large[..]), "application/pdf", Some("bill.pdf")),
        (
            "document",
            &[("message[filename]", "July.txt")],
            ("a", "text/plain", &b"hello"[..]),
            "text/plain",
            Some("July.txt"),
        ),
    ] {
        let fields = [&[("message[message_type]", kind)], fields].concat();
        let sent = post(&app, &path, None, "bb", form("bb", &fields, Some(file))).await;
        let before = &sent.data()["message_type_data"];
        assert_eq!((before["mime_type"].as_str(), before.get("media_id")), (Some(mime), None), "{kind}");
        assert!(pieces(&app).await > 0);
        app.run_until_idle().await;
        let got = last_on_phone(&app).await;
        let stored = at_meta(&app, &got["content"]["id"]).await;
        let stored_file = (got["type"].as_str(), stored["mime_type"].as_str(), stored["file_size"].as_u64());
        assert_eq!(stored_file, (Some(kind), Some(mime), Some(file.2.len() as u64)));
        let digest = <sha2::Sha256 as sha2::Digest>::digest(file.2);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(stored["sha256"], *hex, "the same bytes");
        assert_eq!(got["content"]["filename"].as_str(), filename);
        let after = shown(&app, &path, &sent.id()).await;
        assert_eq!(after["message_type_data"]["media_id"], got["content"]["id"]);
        assert_eq!(pieces(&app).await, 0);
        // Advances the clock, because WhatsApp limits messages to one contact.
        app.forward(Span::from_secs(20)).await;
    }
}

#[tokio::test]
async fn form_without_a_file_is_a_plain_message() {
    let (app, path) = talking().await;
    let fields = [
        ("message[message_type]", "interactive"),
        ("message[body_text]", "Shall we?"),
        ("message[buttons][0][id]", "yes"),
        ("message[buttons][0][title]", "Yes"),
    ];
    let nested = post(&app, &path, None, "bb", form("bb", &fields, None)).await;
    assert_eq!(nested.data()["message_type_data"]["buttons"], json!([{"id": "yes", "title": "Yes"}]));
    let fields = [
        ("whatsapp_message[message_type]", "location"),
        ("whatsapp_message[latitude]", "1.5"),
        ("whatsapp_message[longitude]", "-2"),
    ];
    let place = post(&app, &path, None, "bb", form("bb", &fields, None)).await;
    assert_eq!(place.data()["message_type_data"], json!({"latitude": 1.5, "longitude": -2.0}));
    let whole = [("message", r#"{"message_type": "image", "caption": "the sofa"}"#)];
    let whole = post(&app, &path, None, "bb", form("bb", &whole, Some(("a.png", "image/png", PNG)))).await;
    assert_eq!(whole.data()["message_type_data"], json!({"caption": "the sofa", "mime_type": "image/png"}));
    let empty = post(&app, &path, None, "bb", form("bb", &[], None)).await;
    assert_eq!((empty.status, empty.body["code"].as_str()), (400, Some("malformed")));
}

#[tokio::test]
async fn unsupported_file_is_refused_and_not_stored() {
    let (app, path) = talking().await;
    let huge = [PNG, &vec![0; 5 << 20]].concat();
    for (kind, name, file, expected) in [
        ("image", "message[message_type]", &b"GIF89a"[..], "/message/media_file unsupported_type"),
        ("image", "message[message_type]", &b""[..], "/message/media_file blank"),
        ("image", "message[message_type]", &huge, "/message/media_file too_large"),
        ("audio", "message[message_type]", PNG, "/message/media_file unsupported_type"),
        ("poll", "message[message_type]", PNG, "/message/message_type unknown_value"),
    ] {
        let body = form("bb", &[(name, kind)], Some(("a", "image/png", file)));
        let refused = post(&app, &path, None, "bb", body).await;
        assert_eq!((refused.status, details(&refused)), (422, vec![expected.to_owned()]));
        assert_eq!(pieces(&app).await, 0, "{expected}");
    }
    let twice = form(
        "bb",
        &[("message[message_type]", "image"), ("message[media_url]", "https://a.example/x")],
        Some(("a", "image/png", PNG)),
    );
    assert_eq!(details(&post(&app, &path, None, "bb", twice).await), ["/message/media_url ambiguous"]);
    let mut cut = form("bb", &[("message[message_type]", "image")], Some(("a", "image/png", PNG)));
    cut.truncate(cut.len() - 10);
    let cut = post(&app, &path, None, "bb", cut).await;
    assert_eq!((cut.status, cut.body["code"].as_str()), (400, Some("malformed")));
    // The closed window is detected only after the file was received.
    app.forward(Span::from_hours(25)).await;
    let late =
        post(&app, &path, None, "bb", form("bb", &[("message[message_type]", "image")], Some(("a", "image/png", PNG))))
            .await;
    assert_eq!((late.status, late.body["code"].as_str()), (422, Some("outside_service_window")));
    assert_eq!(pieces(&app).await, 0);
}

#[tokio::test]
async fn idempotency_ignores_the_form_boundary_but_not_the_file() {
    let (app, path) = talking().await;
    let fields = [("message[message_type]", "image")];
    let with =
        |boundary: &'static str, bytes: &'static [u8]| form(boundary, &fields, Some(("a.png", "image/png", bytes)));
    let first = post(&app, &path, Some("k"), "one", with("one", PNG)).await;
    let again = post(&app, &path, Some("k"), "two", with("two", PNG)).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.id(), again.headers.contains_key("idempotency-replayed")), (again.id(), true));
    let other = post(&app, &path, Some("k"), "one", with("one", b"\x89PNG\r\n\x1a\n another")).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency_mismatch")));
    assert_eq!(pieces(&app).await, 1, "only the first request's file is stored");
    app.run_until_idle().await;
    assert_eq!(app.chat(testkit::ANA).await.iter().filter(|message| message["type"] == "image").count(), 1);
}

#[tokio::test]
async fn failed_upload_is_retried_and_the_message_arrives_once() {
    for what in [json!({"error": "server_500"}), json!({"error": "throughput"}), json!("accept_then_drop")] {
        let (app, path) = talking().await;
        fault(&app, "media_upload", what).await;
        let body = form("bb", &[("message[message_type]", "image")], Some(("a.png", "image/png", PNG)));
        let id = post(&app, &path, None, "bb", body).await.id();
        app.run_until_idle().await;
        for _ in 0..5 {
            app.forward(Span::from_secs(10)).await;
        }
        assert_eq!(shown(&app, &path, &id).await["status"], "delivered");
        assert_eq!(app.chat(testkit::ANA).await.iter().filter(|message| message["type"] == "image").count(), 1);
        assert_eq!(pieces(&app).await, 0);
    }
}

#[tokio::test]
async fn file_refused_by_whatsapp_fails_its_message_and_is_deleted() {
    let (app, path) = talking().await;
    fault(&app, "media_upload", json!({"error": {"code": 131_053}})).await;
    let body = form("bb", &[("message[message_type]", "image")], Some(("a.png", "image/png", PNG)));
    let id = post(&app, &path, None, "bb", body).await.id();
    app.run_until_idle().await;
    let failed = shown(&app, &path, &id).await;
    assert_eq!(
        (failed["status"].as_str(), failed["metadata"]["error"]["code"].as_str()),
        (Some("failed"), Some("send_failed"))
    );
    assert_eq!(pieces(&app).await, 0);
}

#[tokio::test]
async fn file_is_uploaded_once_when_its_message_is_sent_twice() {
    let (app, path) = talking().await;
    fault(&app, "send", json!({"error": "throughput"})).await;
    let body = form("bb", &[("message[message_type]", "image")], Some(("a.png", "image/png", PNG)));
    let id = post(&app, &path, None, "bb", body).await.id();
    app.run_until_idle().await;
    assert_eq!(pieces(&app).await, 0, "WhatsApp accepted the message");
    app.forward(Span::from_secs(10)).await;
    app.forward(Span::from_secs(2)).await;
    assert_eq!(shown(&app, &path, &id).await["status"], "delivered");
    let requests = app.emulator_call(Method::GET, "/requests?limit=1000", None).await.to_string();
    assert_eq!(requests.matches("/100000000000001/media").count(), 1, "{requests}");
}

#[tokio::test]
async fn file_survives_a_crash_before_its_upload() {
    let (app, path) = talking().await;
    let body = form("bb", &[("message[message_type]", "image")], Some(("a.png", "image/png", PNG)));
    let id = post(&app, &path, None, "bb", body).await.id();
    let app = app.crash_and_restart().await;
    app.run_until_idle().await;
    assert!(shown(&app, &path, &id).await["whatsapp_message_id"].is_string());
    let got = last_on_phone(&app).await;
    assert_eq!(at_meta(&app, &got["content"]["id"]).await["file_size"], PNG.len());
}

#[tokio::test]
async fn abandoned_file_is_deleted_after_an_hour() {
    let (app, path) = talking().await;
    let body = form("bb", &[("message[message_type]", "document")], Some(("a", "text/plain", &vec![b'x'; 2_000_000])));
    let (begun, pause) = (bytes::Bytes::from(body[..1_500_000].to_vec()), std::future::pending::<()>());
    let trickle = futures::stream::unfold((Some(begun), Some(pause)), |(begun, pause)| async move {
        match begun {
            Some(begun) => Some((Ok::<_, std::io::Error>(begun), (None, pause))),
            None => {
                pause?.await;
                None
            }
        }
    });
    let request = app.request(Method::POST, &path).header("content-type", "multipart/form-data; boundary=bb");
    let request = tokio::spawn(request.body(reqwest::Body::wrap_stream(trickle)).send());
    testkit::until(|| async { pieces(&app).await == 2 }).await;
    request.abort();
    app.forward(Span::from_mins(59)).await;
    app.forward(Span::from_mins(2)).await;
    assert_eq!(pieces(&app).await, 0);
}

#[tokio::test]
async fn message_after_a_file_waits_for_its_sent_status_with_a_limit() {
    for lost in [false, true] {
        let (app, path) = talking().await;
        if lost {
            let rule = json!({"when": {"surface": "webhook", "event": "status"}, "do": "lose"});
            app.emulator_call(Method::POST, "/faults", Some(rule)).await;
        }
        let image = json!({"message_type": "image", "media_url": "https://shop.example/sofa.png"});
        super::send(&app, &path, image).await.data();
        super::send(&app, &path, json!({"content": "waited in line"})).await.data();
        app.run_until_idle().await;
        super::send(&app, &path, json!({"content": "came later"})).await.data();
        app.run_until_idle().await;
        assert!(app.received_texts(testkit::ANA).await.is_empty(), "the file first");
        let needed = if lost { 4_000 } else { 200 };
        app.forward(Span::from_millis(needed - 1)).await;
        assert!(app.received_texts(testkit::ANA).await.is_empty(), "its status has not arrived");
        app.forward(Span::from_millis(1)).await;
        assert_eq!(app.received_texts(testkit::ANA).await, ["waited in line", "came later"]);
    }
}
