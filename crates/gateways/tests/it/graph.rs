//! Sends, and the rule for messages that may have been sent.

use crate::{
    fixtures,
    server::{self, Reply, Server},
};
use gateways::whatsapp::{Content, ErrorClass, GraphClient, Outgoing, Recipient, SendOutcome, classify};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const NUMBER: &str = "100000000000001";

fn token() -> SecretString {
    SecretString::from("EAAsecrettoken")
}

fn text(to: Recipient, body: &str) -> Outgoing {
    Outgoing {
        to,
        content: Content::Text { body: body.to_owned(), preview_url: false },
        reply_to: None,
        opaque: String::from("o1.x"),
    }
}

fn hello() -> Outgoing {
    text(Recipient::Phone(String::from("5511999990001")), "x")
}

fn client(base: &str) -> GraphClient {
    GraphClient::new(base, "v25.0").unwrap()
}

async fn send_to(server: &Server) -> SendOutcome {
    client(&server.url("")).send(NUMBER, &token(), &hello()).await
}

async fn outcome_of(reply: impl Fn() -> Reply + Send + Sync + 'static) -> SendOutcome {
    let server = Server::start(move |_| reply()).await;
    let outcome = send_to(&server).await;
    assert_eq!(server.connections(), 1, "a send is made once");
    outcome
}

fn reply_of(exchange: &Value) -> Reply {
    let response = &exchange["response"];
    let headers: Vec<(String, String)> = response["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let body = match response.get("text") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => response["body"].to_string(),
    };
    server::http(response["status"].as_u64().unwrap() as u16, &headers, body)
}

#[tokio::test]
async fn texts_are_sent_as_in_the_fixtures() {
    for (file, to, body, preview_url) in [
        ("ex-001-text.json", "5511999990001", "Veja https://example.com", true),
        ("ex-004-text-bsuid.json", "AR.3009000000000003", "hola", false),
    ] {
        let exchange = fixtures::load(file);
        let answer = exchange.clone();
        let server = Server::start(move |_| reply_of(&answer)).await;
        let to = match exchange["request"]["json"].get("to") {
            Some(_) => Recipient::Phone(to.to_owned()),
            None => Recipient::UserId(to.to_owned()),
        };
        let outgoing = Outgoing {
            to,
            content: Content::Text { body: body.to_owned(), preview_url },
            reply_to: None,
            opaque: String::new(),
        };
        let outcome = client(&server.url("")).send(NUMBER, &token(), &outgoing).await;
        let request = server.requests()[0].clone();
        assert_eq!(request.json(), exchange["request"]["json"], "{file}");
        assert_eq!(request.line, format!("POST /v25.0/{NUMBER}/messages HTTP/1.1"));
        assert_eq!(request.header("authorization"), Some("Bearer EAAsecrettoken"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("transfer-encoding"), None);
        let body = &exchange["response"]["body"];
        assert_eq!(
            outcome,
            SendOutcome::Accepted {
                wamid: body["messages"][0]["id"].as_str().unwrap().to_owned(),
                wa_id: body["contacts"][0]["wa_id"].as_str().map(str::to_owned),
            }
        );
    }
}

#[tokio::test]
async fn tracking_token_is_sent_with_the_message() {
    let server = Server::start(|_| server::json(200, &json!({"messages": [{"id": "w"}]}))).await;
    assert_eq!(send_to(&server).await, SendOutcome::Accepted { wamid: String::from("w"), wa_id: None });
    assert_eq!(server.requests()[0].json()["biz_opaque_callback_data"], "o1.x");
}

#[tokio::test]
async fn error_fixtures_are_refused_or_unknown_by_code() {
    let mut seen = 0;
    for row in fixtures::of_kind("exchange") {
        let file = row["file"].as_str().unwrap();
        if !file.starts_with("er-") {
            continue;
        }
        seen += 1;
        let exchange = fixtures::load(file);
        let http = exchange["response"]["status"].as_u64().unwrap() as u16;
        let error = &exchange["response"]["body"]["error"];
        let code = error["code"].as_i64();
        let outcome = outcome_of(move || reply_of(&exchange)).await;
        match (classify(http, code, false), outcome) {
            (ErrorClass::Server, SendOutcome::Unknown { .. }) => {}
            (expected, SendOutcome::Refused { class, code: got, http: status, .. })
                if expected != ErrorClass::Server =>
            {
                assert_eq!((got, status), (code, http), "{file}");
                let missing = file == "er-002-100-missing-object.json";
                let expected = if missing { ErrorClass::Config } else { expected };
                assert_eq!(class, expected, "{file}");
            }
            (expected, outcome) => panic!("{file}: {expected:?} became {outcome:?}"),
        }
    }
    assert_eq!(seen, 20);
}

#[tokio::test]
async fn retry_delays_are_read_from_headers() {
    for (file, expected) in [
        ("er-010-130429-throughput.json", Some(1_000)),
        ("er-011-80007-waba-rate.json", Some(240_000)),
        ("er-009-131056-pair-rate.json", None),
    ] {
        let exchange = fixtures::load(file);
        let SendOutcome::Refused { retry_after_ms, .. } = outcome_of(move || reply_of(&exchange)).await else {
            panic!("{file}")
        };
        assert_eq!(retry_after_ms, expected, "{file}");
    }
}

#[tokio::test]
async fn possibly_sent_message_is_unknown() {
    let cases: [fn() -> Reply; 8] = [
        || Reply::Close,
        || server::http(502, &[], "<html>"),
        || server::http(200, &[], "{}"),
        || server::http(200, &[], "not json"),
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"messages\"".to_vec()),
        || Reply::Bytes(b"garbage\r\n\r\n".to_vec()),
        || server::http(408, &[], ""),
        || server::json(400, &json!({"error": {"code": 424_242, "is_transient": true}})),
    ];
    for (number, reply) in cases.into_iter().enumerate() {
        let outcome = outcome_of(reply).await;
        assert!(matches!(outcome, SendOutcome::Unknown { .. }), "case {number}: {outcome:?}");
    }
}

#[tokio::test]
async fn timeout_is_unknown() {
    let server = Server::start(|_| Reply::Hang).await;
    let client = GraphClient::with_total(&server.url(""), "v25.0", Duration::from_millis(300)).unwrap();
    let outcome = client.send(NUMBER, &token(), &hello()).await;
    assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn failed_connection_means_not_sent() {
    let refused = format!("http://127.0.0.1:{}", server::closed_port().await);
    let no_tls = Server::closing().await;
    for base in [refused, format!("https://127.0.0.1:{}", no_tls.port)] {
        let outcome = client(&base).send(NUMBER, &token(), &hello()).await;
        assert!(matches!(outcome, SendOutcome::NotSent { .. }), "{base}: {outcome:?}");
    }
}

#[tokio::test]
async fn incomplete_body_means_not_sent() {
    // Accepts the connection and reads nothing, so that a body larger than all buffers stops in the
    // middle.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let client = GraphClient::with_total(&base, "v25.0", Duration::from_millis(90)).unwrap();
    let long = text(Recipient::Phone(String::from("1")), &"x".repeat(32 << 20));
    let outcome = client.send(NUMBER, &token(), &long).await;
    assert!(matches!(outcome, SendOutcome::NotSent { .. }), "{outcome:?}");
}

#[tokio::test]
async fn token_is_not_sent_to_redirects() {
    let elsewhere = Server::start(|_| server::http(200, &[], "{}")).await;
    let location = elsewhere.url("/");
    let outcome = outcome_of(move || server::http(307, &[("Location", &location)], "")).await;
    assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn outcomes_do_not_contain_the_token() {
    let echo = json!({"error": {"code": 190, "message": "bad token EAAsecrettoken"}});
    let outcome = outcome_of(move || server::json(401, &echo)).await;
    assert!(!format!("{outcome:?}").contains("EAAsecret"), "{outcome:?}");
    assert!(matches!(outcome, SendOutcome::Refused { class: ErrorClass::Auth, .. }));
}

#[tokio::test]
async fn message_is_marked_as_read_with_and_without_typing() {
    let answers = Arc::new(Mutex::new(vec![
        server::http(400, &[], "{}"),
        server::json(200, &json!({"success": true})),
        server::json(200, &json!({"success": true})),
    ]));
    let server = Server::start(move |_| answers.lock().unwrap().pop().unwrap()).await;
    let client = client(&server.url(""));
    let wamid = "wamid.HBgNNTUxMTk5OTk5MDAwMRUCABIYFDQ2RDBDNEYwNTQzNTY3QTY2QUIzAA==";
    assert!(client.mark_read(NUMBER, &token(), wamid, false).await);
    assert!(client.mark_read(NUMBER, &token(), wamid, true).await);
    assert!(!client.mark_read(NUMBER, &token(), wamid, true).await);
    for (request, file) in server.requests().iter().zip(["ex-025-mark-read.json", "ex-026-typing.json"]) {
        assert_eq!(request.json(), fixtures::load(file)["request"]["json"], "{file}");
    }
}

#[test]
fn send_future_is_send() {
    fn spawnable<T: Send>(_: T) {}
    let client = client("http://127.0.0.1:9");
    let (token, message) = (token(), hello());
    spawnable(client.send(NUMBER, &token, &message));
    spawnable(client.mark_read(NUMBER, &token, "w", true));
}
