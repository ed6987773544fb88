//! Templates, media and numbers: requests, responses and failures.

use crate::{
    fixtures,
    server::{self, Reply, Request, Server},
};
use gateways::whatsapp::{
    CallError, ErrorClass, GraphClient,
    media::{Download, MediaError, MediaInfo, Upload},
    numbers::Callback,
    templates::{NewTemplate, TemplateEdit},
    webhook::{Item, TemplateUpdate, parse},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;

const WABA: &str = "200000000000001";
const NUMBER: &str = "100000000000001";

fn token() -> SecretString {
    SecretString::from("EAAsecrettoken")
}

fn client(server: &Server) -> GraphClient {
    GraphClient::new(&server.url(""), "v25.0").unwrap()
}

async fn answering(body: Value) -> Server {
    Server::start(move |_| server::json(200, &body)).await
}

#[tokio::test]
async fn template_is_created_as_in_the_fixture() {
    let exchange = fixtures::load("ex-029-template-create.json");
    let server = answering(exchange["response"]["body"].clone()).await;
    let asked = &exchange["request"]["json"];
    let text = |key: &str| asked[key].as_str().unwrap().to_owned();
    let new = NewTemplate {
        name: text("name"),
        language: text("language"),
        category: text("category"),
        parameter_format: Some(text("parameter_format")),
        components: asked["components"].as_array().unwrap().clone(),
        allow_category_change: false,
    };
    let done = client(&server).create_template(WABA, &token(), &new).await.unwrap();
    assert_eq!((done.id.as_str(), done.status.as_str()), ("400000000000009", "PENDING"));
    let request = server.requests()[0].clone();
    assert_eq!(request.json(), *asked);
    assert_eq!(request.line, format!("POST /v25.0/{WABA}/message_templates HTTP/1.1"));
    assert_eq!(request.header("authorization"), Some("Bearer EAAsecrettoken"));
}

#[tokio::test]
async fn all_template_pages_are_read() {
    let template = |id: u64| {
        json!({"id": id.to_string(), "name": "t", "language": "en", "status": "REJECTED", "category": "UTILITY",
            "rejected_reason": "SCAM", "components": [{"type": "BODY"}], "quality_score": {"score": "GREEN"}})
    };
    let server = Server::start(move |request: &Request| {
        let second = request.line.contains("after=c1");
        let mut page = json!({"data": [template(if second { 2 } else { 1 })],
            "paging": {"cursors": {"before": "c0", "after": if second { "c2" } else { "c1" }}}});
        if !second {
            page["paging"]["next"] = json!("https://graph.facebook.com/evil");
        }
        server::json(200, &page)
    })
    .await;
    let all = client(&server).templates(WABA, &token()).await.unwrap();
    let ids: Vec<_> = all.iter().map(|template| template.id.as_str()).collect();
    assert_eq!((ids, server.connections()), (vec!["1", "2"], 2));
    assert_eq!(all[0].rejected_reason.as_deref(), Some("SCAM"));
    assert_eq!(all[0].quality.as_deref(), Some("GREEN"));
    let endless = answering(json!({"data": [], "paging": {"cursors": {"after": "same"}, "next": "x"}})).await;
    assert_eq!(client(&endless).templates(WABA, &token()).await.unwrap(), []);
}

#[tokio::test]
async fn templates_are_edited_and_deleted() {
    let server = answering(json!({"success": true, "id": "4", "category": "UTILITY"})).await;
    let client = client(&server);
    let components = [json!({"type": "BODY"})];
    let edit = TemplateEdit { category: Some("UTILITY"), components: Some(&components), time_to_live: None };
    let edited = client.edit_template("4", &token(), &edit).await.unwrap();
    assert_eq!((edited.id.as_str(), edited.status.as_str()), ("4", "PENDING"));
    client.delete_template(WABA, &token(), "a b", Some("4")).await.unwrap();
    client.delete_template(WABA, &token(), "t", None).await.unwrap();
    let lines: Vec<_> = server.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(lines[0], "POST /v25.0/4 HTTP/1.1");
    assert_eq!(lines[1], format!("DELETE /v25.0/{WABA}/message_templates?name=a+b&hsm_id=4 HTTP/1.1"));
    assert_eq!(lines[2], format!("DELETE /v25.0/{WABA}/message_templates?name=t HTTP/1.1"));
}

#[tokio::test]
async fn number_is_read_with_its_health() {
    let mut body = fixtures::load("ex-028-phone-number.json")["response"]["body"].clone();
    body["health_status"] = json!({"can_send_message": "LIMITED", "entities": [
        {"entity_type": "WABA", "errors": [{"error_code": 141006, "error_description": "No payment method.",
            "possible_solution": "Add one."}]},
        {"entity_type": "BUSINESS", "additional_info": ["Not verified."]},
    ]});
    body["webhook_configuration"] = json!({"application": "https://a.example", "phone_number": "https://n.example"});
    let server = answering(body).await;
    let number = client(&server).number(NUMBER, &token()).await.unwrap();
    assert_eq!(number.status.as_deref(), Some("CONNECTED"));
    assert_eq!(number.throughput.as_deref(), Some("STANDARD"));
    assert_eq!(number.messaging_limit.as_deref(), Some("TIER_2K"));
    assert_eq!(number.callback.as_deref(), Some("https://n.example"));
    let health = number.health.unwrap();
    assert_eq!(health.can_send_message, "LIMITED");
    assert_eq!(health.reasons, ["WABA: No payment method. Add one.", "BUSINESS: Not verified."]);
}

#[tokio::test]
async fn token_info_lists_permissions() {
    let server = answering(fixtures::load("ex-030-debug-token.json")["response"]["body"].clone()).await;
    let info = client(&server).token_info(&token()).await.unwrap();
    assert!(info.valid && info.expires_at.is_none());
    assert_eq!(info.app_id.as_deref(), Some("300000000000001"));
    assert_eq!((info.scopes.len(), info.targets), (2, vec![WABA.to_owned()]));
}

#[tokio::test]
async fn subscriptions_and_callbacks_are_requested() {
    let server = Server::start(|request: &Request| {
        let list = json!({"success": true, "data": [{"whatsapp_business_api_data": {"id": "300", "name": "App"}}]});
        assert!(request.line.contains("/v25.0/"));
        server::json(200, &list)
    })
    .await;
    let client = client(&server);
    let callback = Callback { url: String::from("https://c.example/w"), verify_token: SecretString::from("verify") };
    client.subscribe(WABA, &token(), None).await.unwrap();
    client.subscribe(WABA, &token(), Some(&callback)).await.unwrap();
    client.set_callback(NUMBER, &token(), Some(&callback)).await.unwrap();
    client.set_callback(NUMBER, &token(), None).await.unwrap();
    client.unsubscribe(WABA, &token()).await.unwrap();
    client.register(NUMBER, &token(), &SecretString::from("123456")).await.unwrap();
    assert_eq!(client.subscribed_apps(WABA, &token()).await.unwrap(), ["300"]);
    let requests = server.requests();
    let own = json!({"override_callback_uri": "https://c.example/w", "verify_token": "verify"});
    assert_eq!(requests[0].json(), json!({}));
    assert_eq!(requests[1].json(), own);
    assert_eq!(requests[2].json(), json!({ "webhook_configuration": own }));
    assert_eq!(requests[3].json(), json!({"webhook_configuration": {"override_callback_uri": ""}}));
    assert!(requests[4].line.starts_with(&format!("DELETE /v25.0/{WABA}/subscribed_apps ")));
    assert_eq!(requests[5].json(), json!({"messaging_product": "whatsapp", "pin": "123456"}));
}

#[tokio::test]
async fn file_is_uploaded_as_a_form() {
    let server = answering(json!({"id": "700"})).await;
    let upload = Upload {
        mime_type: String::from("image/png"),
        filename: String::from("é\".png"),
        bytes: vec![b'x'; 200_000].into(),
    };
    assert_eq!(client(&server).upload_media(NUMBER, &token(), &upload).await.unwrap(), "700");
    let request = server.requests()[0].clone();
    assert_eq!(request.line, format!("POST /v25.0/{NUMBER}/media HTTP/1.1"));
    let kind = request.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = String::from_utf8_lossy(&request.body);
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((parts.len(), parts[0], parts[4]), (5, "", "--\r\n"));
    assert!(parts[1].ends_with("name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"));
    assert!(parts[3].contains("name=\"file\"; filename=\"é_.png\"\r\nContent-Type: image/png\r\n\r\nxxx"));
    assert_eq!(parts[3].matches('x').count(), 200_000);
}

/// A Graph host with one file. Its responses name `url`, with `BASE` replaced by the host.
async fn with_file(url: &'static str, sha256: &'static str, expires: bool) -> Server {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Server::start(move |request: &Request| {
        let host = request.header("host").unwrap().to_owned();
        if request.line.contains("/bytes") {
            let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            return if expires && first { server::http(404, &[], "") } else { server::http(200, &[], "hello") };
        }
        let url = url.replace("BASE", &format!("http://{host}"));
        server::json(200, &json!({"url": url, "mime_type": "text/plain", "sha256": sha256, "file_size": 5, "id": "7"}))
    })
    .await
}

/// Reads a whole download.
async fn whole(download: Result<Download, MediaError>) -> Result<Vec<u8>, MediaError> {
    let (mut download, mut bytes) = (download?, Vec::new());
    while let Some(more) = download.next().await? {
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

const DIGEST: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn download_refreshes_an_expired_url_once() {
    for (expires, connections) in [(false, 2), (true, 4)] {
        let server = with_file("BASE/bytes", DIGEST, expires).await;
        let (info, download) = client(&server).fetch_media("7", NUMBER, &token(), 100).await.unwrap();
        let bytes = whole(Ok(download)).await.unwrap();
        assert_eq!((info.mime_type.as_str(), &bytes[..]), ("text/plain", &b"hello"[..]));
        assert_eq!(server.connections(), connections);
        assert_eq!(server.requests()[1].header("authorization"), Some("Bearer EAAsecrettoken"));
    }
}

#[tokio::test]
async fn download_sends_no_token_to_other_hosts_and_verifies_bytes() {
    let elsewhere = Server::start(|_| server::http(200, &[], "hello")).await;
    let info = MediaInfo {
        id: String::from("7"),
        url: elsewhere.url("/bytes"),
        mime_type: String::from("text/plain"),
        sha256: None,
        file_size: None,
    };
    let server = with_file("BASE/bytes", "0000", false).await;
    let error = client(&server).download_media(&info, &token(), 100).await.unwrap_err();
    let refused = matches!(error, MediaError::Call(CallError::Refused { class: ErrorClass::Permanent, .. }));
    assert!(refused, "{error:?}");
    assert_eq!(elsewhere.connections(), 0);
    let (_, forged) = client(&server).fetch_media("7", NUMBER, &token(), 100).await.unwrap();
    assert_eq!(whole(Ok(forged)).await, Err(MediaError::Altered));
    let own = MediaInfo { url: server.url("/bytes"), ..info.clone() };
    let download = async |info: &MediaInfo, cap| whole(client(&server).download_media(info, &token(), cap).await).await;
    assert_eq!(download(&own, 5).await.unwrap().len(), 5);
    assert_eq!(download(&own, 4).await, Err(MediaError::TooLarge(4)));
    let shorter = MediaInfo { file_size: Some(6), ..own.clone() };
    assert_eq!(download(&shorter, 100).await, Err(MediaError::Altered), "one byte of six is missing");
    let before = server.connections();
    let announced = MediaInfo { file_size: Some(500), ..own };
    assert_eq!(download(&announced, 4).await, Err(MediaError::TooLarge(4)));
    assert_eq!(server.connections(), before, "it is not requested");
}

#[tokio::test]
async fn failed_calls_name_their_class() {
    let error = |code: i64, subcode: i64| {
        json!({"error": {"message": "bad EAAsecrettoken", "code": code, "error_subcode": subcode,
            "error_user_msg": "Say this to people"}})
    };
    let cases: Vec<(Reply, &str, bool)> = vec![
        (server::json(401, &error(190, 463)), "Auth", false),
        (server::json(400, &error(100, 33)), "Config", false),
        (server::json(400, &error(100, 2_388_024)), "Permanent", false),
        (server::json(400, &error(80_007, 0)), "Throttle", true),
        (server::json(500, &error(131_000, 0)), "unknown", true),
        (server::http(502, &[], "<html>"), "unknown", true),
        (server::http(200, &[], "<html>"), "unknown", true),
        (server::http(404, &[], "<html>"), "Permanent", false),
        (Reply::Close, "unknown", true),
    ];
    for (number, (reply, expected, passing)) in cases.into_iter().enumerate() {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = Server::start(move |_| reply.lock().unwrap().take().unwrap()).await;
        let error = client(&server).template("4", &token()).await.unwrap_err();
        let got = match &error {
            CallError::Refused { class, .. } => format!("{class:?}"),
            CallError::NotSent { .. } => String::from("not sent"),
            CallError::Unknown { .. } => String::from("unknown"),
        };
        assert_eq!((got.as_str(), error.is_passing()), (expected, passing), "case {number}: {error:?}");
        assert!(!format!("{error:?}").contains("EAAsecret"), "case {number}");
    }
    let unreachable = GraphClient::new(&format!("http://127.0.0.1:{}", server::closed_port().await), "v25.0").unwrap();
    let error = unreachable.create_template(WABA, &token(), &new_template()).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent { .. }), "{error:?}");
}

fn new_template() -> NewTemplate {
    NewTemplate {
        name: String::from("t"),
        language: String::from("en"),
        category: String::from("UTILITY"),
        parameter_format: None,
        components: vec![],
        allow_category_change: true,
    }
}

#[test]
fn template_changes_are_read_from_fixtures() {
    let mut seen = 0;
    for (file, status, reason, category, quality) in [
        ("ac-001-template-approved.json", Some("APPROVED"), None, Some("UTILITY"), None),
        ("ac-002-template-rejected.json", Some("REJECTED"), Some("INVALID_FORMAT"), Some("UTILITY"), None),
        ("ac-003-template-paused.json", Some("PAUSED"), None, Some("UTILITY"), None),
        ("ac-006-template-category.json", None, None, Some("MARKETING"), None),
        ("ac-007-template-quality.json", None, None, None, Some("YELLOW")),
    ] {
        let body = fixtures::load(file);
        for item in parse(body.to_string().as_bytes()).unwrap().items {
            let Item::Other { field, raw, .. } = item else { panic!("{file}") };
            let update = TemplateUpdate::read(&field, &raw).unwrap();
            assert_eq!(update.template_id, "400000000000009", "{file}");
            assert_eq!(update.status.as_deref(), status, "{file}");
            assert_eq!(update.reason.as_deref(), reason, "{file}");
            assert_eq!(update.category.as_deref(), category, "{file}");
            assert_eq!(update.quality.as_deref(), quality, "{file}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
    assert_eq!(TemplateUpdate::read("account_update", &json!({"value": {"message_template_id": 1}})), None);
}
