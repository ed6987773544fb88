//! Inbound media: downloaded from WhatsApp once, through failures and crashes, and readable by a
//! link.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Span;
use reqwest::{Method, header};
use serde_json::{Value, json};
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";

/// An application with its own number and no agent.
async fn listening() -> TestApp {
    let app = TestApp::start().await;
    app.own_number().await;
    app
}

/// Uploads a file to the emulator and returns its media id.
async fn on_phone(app: &TestApp, mime: &str, bytes: &[u8], more: Value) -> String {
    let mut file = json!({"base64": STANDARD.encode(bytes), "mime_type": mime, "phone_number_id": OWN_NUMBER_ID});
    file.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let answer = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await;
    answer["media_id"].as_str().unwrap().to_owned()
}

/// Ana sends the file; returns the wamid.
async fn sends(app: &TestApp, kind: &str, id: &str) -> String {
    let body = json!({"from": ANA, "type": kind, kind: {"id": id}, "phone_number_id": OWN_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(body)).await["message_id"].as_str().unwrap().to_owned()
}

async fn sends_picture(app: &TestApp) -> (String, String) {
    let id = on_phone(app, "image/jpeg", JPEG, json!({})).await;
    (sends(app, "image", &id).await, id)
}

async fn message(app: &TestApp, wamid: &str) -> Value {
    app.messages().await.into_iter().find(|message| message["whatsapp_message_id"] == wamid).unwrap()
}

async fn get(url: &str, headers: &[(header::HeaderName, &str)]) -> reqwest::Response {
    let mut request = reqwest::Client::builder().no_proxy().build().unwrap().get(url);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

/// Downloads a message's media link.
async fn bytes(message: &Value) -> Vec<u8> {
    let url = message["media_url"].as_str().unwrap_or_else(|| panic!("{message}"));
    let answer = get(url, &[]).await;
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

/// Requests to WhatsApp about a file.
async fn asked(app: &TestApp, id: &str) -> usize {
    let log = app.emulator_call(Method::GET, &format!("/requests?limit=1000&path=/{id}"), None).await;
    log["requests"].as_array().unwrap().len()
}

async fn pieces(app: &TestApp) -> i64 {
    let mut reader = app.app.context().store.read().await.unwrap();
    store::census::pieces(&mut reader.conn()).await.unwrap()
}

async fn fault(app: &TestApp, surface: &str, times: u64, what: Value) {
    let rule = json!({"when": {"surface": surface}, "trigger": {"next": times}, "do": what});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
}

#[tokio::test]
async fn inbound_media_is_stored_and_readable_by_link() {
    let app = listening().await;
    // Larger than one chunk.
    let paper: Vec<u8> = b"%PDF-1.7".iter().copied().chain((0..1_200_000_u32).map(|n| n as u8)).collect();
    for (kind, mime, file, name, type_, how) in [
        ("image", "image/jpeg", JPEG, Value::Null, "image/jpeg", "inline; filename=\"[id]\""),
        ("sticker", "image/webp", b"RIFF\x1a\0\0\0WEBPVP8 ", Value::Null, "image/webp", "inline; filename=\"[id]\""),
        ("audio", "audio/ogg; codecs=opus", b"OggS....", Value::Null, "audio/ogg", "inline; filename=\"[id]\""),
        ("video", "video/mp4", b"\0\0\0\x18ftypmp42", Value::Null, "video/mp4", "inline; filename=\"[id]\""),
        (
            "document",
            "application/pdf",
            &paper,
            json!("../Laudo médico\r\n\".pdf"),
            "application/pdf",
            "attachment; filename*=UTF-8''Laudo%20m%C3%A9dico%22.pdf",
        ),
        (
            "document",
            "text/html",
            b"<script>",
            Value::Null,
            "application/octet-stream",
            "attachment; filename=\"[id]\"",
        ),
        // Declared as a picture.
        ("image", "image/jpeg", b"<svg>", Value::Null, "application/octet-stream", "attachment; filename=\"[id]\""),
        ("document", "text/plain", b"", Value::Null, "text/plain", "attachment; filename=\"[id]\""),
    ] {
        let id = on_phone(&app, mime, file, json!({"filename": name})).await;
        let wamid = sends(&app, kind, &id).await;
        let before = message(&app, &wamid).await;
        assert_eq!((&before["media_url"], before["processing_status"].as_str()), (&Value::Null, Some("pending")));
        app.run_until_idle().await;
        let after = message(&app, &wamid).await;
        assert_eq!(
            (after["processing_status"].as_str(), &after["metadata"]["media_error"]),
            (Some("processed"), &Value::Null)
        );
        let url = after["media_url"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/media/", app.app.url())), "{url}");
        let answer = get(url, &[]).await;
        let headers = answer.headers().clone();
        let shown = |name| headers[&name].to_str().unwrap().to_owned();
        assert_eq!(shown(header::CONTENT_TYPE), type_);
        assert_eq!(
            shown(header::CONTENT_DISPOSITION).replace(after["id"].as_str().unwrap(), "[id]"),
            how,
            "{kind} {mime}"
        );
        assert_eq!(shown(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(shown(header::CONTENT_SECURITY_POLICY).ends_with("; sandbox"));
        assert_eq!(shown(header::CONTENT_LENGTH), file.len().to_string());
        assert_eq!(answer.bytes().await.unwrap(), file);
        assert_eq!(asked(&app, &id).await, 1);
    }
}

#[tokio::test]
async fn media_link_supports_ranges_and_conditional_requests() {
    let app = listening().await;
    let film: Vec<u8> =
        b"\0\0\0\x18ftypmp42".iter().copied().chain((0..1_200_000_u32).map(|n| (n / 7) as u8)).collect();
    let id = on_phone(&app, "video/mp4", &film, json!({})).await;
    let wamid = sends(&app, "video", &id).await;
    app.run_until_idle().await;
    let url = message(&app, &wamid).await["media_url"].as_str().unwrap().to_owned();
    let last = film.len() - 1;
    for (range, from, to) in
        [("bytes=0-9", 0, 9), ("bytes=500000-700000", 500_000, 700_000), ("bytes=1100000-", 1_100_000, last)]
    {
        let part = get(&url, &[(header::RANGE, range)]).await;
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes {from}-{to}/{}", film.len()));
        assert_eq!(part.bytes().await.unwrap(), film[from..=to], "{range}");
    }
    let beyond = get(&url, &[(header::RANGE, "bytes=9000000-")]).await;
    assert_eq!((beyond.status().as_u16(), beyond.bytes().await.unwrap().len()), (416, 0));
    let tag = get(&url, &[]).await.headers()[header::ETAG].to_str().unwrap().to_owned();
    let known = get(&url, &[(header::IF_NONE_MATCH, &tag)]).await;
    assert_eq!((known.status().as_u16(), known.bytes().await.unwrap().len()), (304, 0));
    let other = get(&url, &[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"another\"")]).await;
    assert_eq!((other.status().as_u16(), other.bytes().await.unwrap().len()), (200, film.len()));
}

#[tokio::test]
async fn media_link_is_valid_for_a_day_and_one_file() {
    let app = listening().await;
    let (wamid, _) = sends_picture(&app).await;
    app.run_until_idle().await;
    let url = message(&app, &wamid).await["media_url"].as_str().unwrap().to_owned();
    let status = async |url: &str| get(url, &[]).await.status().as_u16();
    let (path, link) = url.rsplit_once('/').unwrap();
    let [project, id, ends, mac] = link.split('.').collect::<Vec<_>>()[..] else { panic!("{link}") };
    let later = ends.parse::<i64>().unwrap() + 1;
    let other = id.replace(char::is_numeric, "7");
    for changed in [
        format!("{path}/{project}.{id}.{later}.{mac}"),
        format!("{path}/{project}.{other}.{ends}.{mac}"),
        format!("{path}/{id}.{project}.{ends}.{mac}"),
        format!("{path}/{project}.{id}.{ends}.{}", mac.replace(|c: char| c.is_ascii_hexdigit(), "0")),
        format!("{path}/{project}.{id}.{ends}"),
        format!("{path}/{project}.{id}.{ends}."),
        format!("{path}/..%2f..%2fetc%2fpasswd"),
    ] {
        assert_eq!(status(&changed).await, 404, "{changed}");
    }
    app.forward(Span::from_secs(86_399)).await;
    assert_eq!(status(&url).await, 200, "{link}");
    app.forward(Span::from_secs(3_601)).await;
    let ended = get(&url, &[]).await;
    assert_eq!(ended.status(), 404);
    assert_eq!(ended.json::<Value>().await.unwrap()["code"], "not_found");
    assert_eq!(bytes(&message(&app, &wamid).await).await, JPEG, "each response has its own link");
}

#[tokio::test]
async fn media_links_use_the_public_url() {
    let app = TestApp::with(true, |config| config.public_url = Some("https://chat.example/".into())).await;
    app.own_number().await;
    let (wamid, _) = sends_picture(&app).await;
    app.run_until_idle().await;
    let url = message(&app, &wamid).await["media_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://chat.example/media/").unwrap_or_else(|| panic!("{url}"));
    assert_eq!(get(&format!("{}/media/{path}", app.app.url()), &[]).await.bytes().await.unwrap(), JPEG);
}

#[tokio::test]
async fn repeated_webhook_downloads_media_once() {
    let app = listening().await;
    let id = on_phone(&app, "image/jpeg", JPEG, json!({})).await;
    let twice = json!({"when": {"surface": "webhook", "event": "message"}, "trigger": {"next": 1}, "do": {"duplicate": {"n": 5}}});
    app.emulator_call(Method::POST, "/faults", Some(twice)).await;
    let wamid = sends(&app, "image", &id).await;
    app.run_until_idle().await;
    assert_eq!(bytes(&message(&app, &wamid).await).await, JPEG);
    assert_eq!((asked(&app, &id).await, pieces(&app).await), (1, 1));
}

#[tokio::test]
async fn failed_download_is_retried_without_leftovers() {
    for (surface, times, what) in [
        ("media_get", 1, json!("accept_then_drop")),
        ("media_get", 1, json!("drop")),
        ("media_get", 4, json!({"error": "server_500"})),
        ("media_get", 2, json!({"error": "waba_rate"})),
        ("media_get", 3, json!({"error": "token_expired"})),
        ("media_get", 1, json!("bad_json")),
        // The URL has expired, so a new one is requested.
        ("media_bytes", 1, json!({"error": "server_500"})),
        // The bytes differ from the announced hash.
        ("media_bytes", 3, json!({"truncate": {"bytes": 700_000}})),
    ] {
        let app = listening().await;
        let picture = [JPEG, &vec![7; 800_000]].concat();
        let id = on_phone(&app, "image/jpeg", &picture, json!({})).await;
        fault(&app, surface, times, what.clone()).await;
        let wamid = sends(&app, "image", &id).await;
        app.run_until_idle().await;
        for _ in 0..10 {
            app.forward(Span::from_secs(60)).await;
        }
        assert_eq!(bytes(&message(&app, &wamid).await).await, picture, "{what}");
        assert_eq!(pieces(&app).await, 2, "{what}");
    }
}

#[tokio::test]
async fn unavailable_media_is_abandoned_with_a_reason() {
    let error = |code: u32| json!({"error": {"code": code}});
    for (surface, what, more, code, requests) in [
        ("media_get", json!({"error": {"code": 100, "subcode": 33}}), json!({}), "media_unavailable", 1),
        ("media_get", error(131_052), json!({}), "media_unavailable", 1),
        ("media_get", error(10), json!({}), "media_refused", 3),
        ("media_bytes", json!({"error": "server_500"}), json!({}), "media_unavailable", 2),
        ("media_bytes", json!({"truncate": {"bytes": 3}}), json!({}), "media_altered", 5),
        ("media_upload", json!("drop"), json!({"announced_size": (100 << 20) + 1}), "media_too_large", 1),
        ("media_upload", json!("drop"), json!({"announced_size": JPEG.len() + 1}), "media_altered", 5),
    ] {
        let app = listening().await;
        fault(&app, surface, 100, what.clone()).await;
        let id = on_phone(&app, "image/jpeg", JPEG, more).await;
        let wamid = sends(&app, "image", &id).await;
        app.run_until_idle().await;
        for _ in 0..10 {
            app.forward(Span::from_secs(60)).await;
        }
        let message = message(&app, &wamid).await;
        let shown = (
            &message["media_url"],
            message["processing_status"].as_str(),
            message["metadata"]["media_error"]["code"].as_str(),
        );
        assert_eq!(shown, (&Value::Null, Some("processed"), Some(code)), "{what}");
        assert!(!message["metadata"]["media_error"]["message"].as_str().unwrap().is_empty());
        assert_eq!((asked(&app, &id).await, pieces(&app).await), (requests, 0), "{code}");
    }
}

#[tokio::test]
async fn expired_or_missing_media_is_not_retried_forever() {
    let app = listening().await;
    // WhatsApp is unavailable for longer than it keeps the file.
    fault(&app, "media_get", 10_000, json!({"error": "server_500"})).await;
    let (late, id) = sends_picture(&app).await;
    app.run_until_idle().await;
    for _ in 0..24 {
        app.forward(Span::from_hours(7)).await;
    }
    let times = asked(&app, &id).await;
    assert_eq!(message(&app, &late).await["metadata"]["media_error"]["code"], "media_unavailable");
    app.forward(Span::from_hours(24)).await;
    assert_eq!((asked(&app, &id).await, times > 20), (times, true), "never again");
    // The webhook itself reports the missing file.
    let errors = json!([{"code": 131_052, "title": "Media download error", "error_data": {"details": "Unable to download it."}}]);
    let body = json!({"from": ANA, "type": "image", "errors": errors, "phone_number_id": OWN_NUMBER_ID});
    let never =
        app.emulator_call(Method::POST, "/inbound", Some(body)).await["message_id"].as_str().unwrap().to_owned();
    app.run_until_idle().await;
    let message = message(&app, &never).await;
    let error = json!({"code": "media_unavailable", "message": "Unable to download it."});
    assert_eq!(
        (&message["metadata"]["media_error"], message["processing_status"].as_str()),
        (&error, Some("processed"))
    );
}

#[tokio::test]
async fn media_survives_a_crash_before_and_after_the_download() {
    let app = listening().await;
    let (wamid, id) = sends_picture(&app).await;
    assert_eq!(asked(&app, &id).await, 0, "a webhook is answered before media is downloaded");
    let app = app.crash_and_restart().await;
    app.run_until_idle().await;
    assert_eq!(bytes(&message(&app, &wamid).await).await, JPEG);
    let app = app.crash_and_restart().await;
    app.forward(Span::from_hours(30)).await;
    assert_eq!(bytes(&message(&app, &wamid).await).await, JPEG, "stored media does not expire");
    assert_eq!((asked(&app, &id).await, pieces(&app).await), (1, 1));
}

#[tokio::test]
async fn deleting_a_message_deletes_its_media() {
    let app = listening().await;
    let (kept, _) = sends_picture(&app).await;
    app.run_until_idle().await;
    let (waiting, id) = sends_picture(&app).await;
    let url = message(&app, &kept).await["media_url"].as_str().unwrap().to_owned();
    for wamid in [kept, waiting] {
        let path = format!("/api/v1/whatsapp_messages/{}", message(&app, &wamid).await["id"].as_str().unwrap());
        assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    }
    app.run_until_idle().await;
    assert_eq!((pieces(&app).await, asked(&app, &id).await), (0, 0));
    assert_eq!(get(&url, &[]).await.status(), 404);
}

#[tokio::test]
async fn media_from_unknown_sandbox_senders_is_not_downloaded() {
    let app = TestApp::start().await;
    let picture = json!({"phone_number_id": emulator::PHONE_NUMBER_ID});
    let id = on_phone(&app, "image/jpeg", JPEG, picture).await;
    let body = json!({"from": ANA, "type": "image", "image": {"id": id}});
    app.emulator_call(Method::POST, "/inbound", Some(body.clone())).await;
    app.run_until_idle().await;
    assert_eq!((asked(&app, &id).await, pieces(&app).await), (0, 0));
    let agent = app.agent(json!({"name": "Plain", "message_debounce_seconds": 0})).await;
    app.activate(ANA, &agent).await;
    app.model().says("A sofa?");
    let sent = app.emulator_call(Method::POST, "/inbound", Some(body)).await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "A sofa?");
    assert!(app.model().requests()[0].to_string().contains("[image]"));
    let message = message(&app, sent["message_id"].as_str().unwrap()).await;
    assert_eq!((bytes(&message).await, asked(&app, &id).await), (JPEG.to_vec(), 1));
}
