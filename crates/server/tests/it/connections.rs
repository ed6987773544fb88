//! Limits of connections and of unverified bodies, and the operations listener. Time limits are
//! tested in `connections/accept.rs`, with a clock that stands still.

use domain::{Span, Timestamp};
use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use server::{Config, StartError};
use std::{net::SocketAddr, time::Duration};
use testkit::TestApp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const PATIENCE: Duration = Duration::from_secs(10);
const FALSE_SIGNATURE: &str = "sha256=0000000000000000000000000000000000000000000000000000000000000000";

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(("127.0.0.1", app.app.port())).await.unwrap()
}

/// Sends the headers of a webhook, without its body.
async fn announce(app: &TestApp, signature: Option<&str>, length: usize) -> TcpStream {
    let mut stream = connect(app).await;
    let signature = signature.map_or(String::new(), |value| format!("x-hub-signature-256: {value}\r\n"));
    let head = format!("POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\n{signature}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Sends the headers of a webhook and waits until the server reads its body.
async fn begin(app: &TestApp, length: usize) -> TcpStream {
    let signature = format!("{FALSE_SIGNATURE}\r\nexpect: 100-continue");
    let mut stream = announce(app, Some(&signature), length).await;
    let mut answer = [0; 25];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("no answer").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Reads until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    end.expect("the server did not close the connection").unwrap();
    String::from_utf8(text).unwrap()
}

/// Status of the answer; the connection may stay open.
async fn status(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut line)).await.expect("no answer").unwrap();
    String::from_utf8(line[9..].to_vec()).unwrap()
}

#[tokio::test]
async fn silent_connections_give_way_and_busy_ones_do_not() {
    let app = TestApp::with(true, |config| config.connections.per_address = 3).await;
    let mut silent = connect(&app).await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(begin(&app, 100).await);
    }
    assert_eq!(rest(&mut silent).await, "");
    let answer = rest(&mut connect(&app).await).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("too_many_connections"), "{answer}");
    for stream in &mut busy {
        stream.write_all(&[b' '; 100]).await.unwrap();
        assert_eq!(status(stream).await, "403");
    }
    assert!(app.metrics().await.contains("chasqui_connections_refused_total{limit=\"address\"}"));
    assert_eq!(app.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn limit_of_all_connections_includes_those_of_proxies() {
    let app = TestApp::with(true, |config| {
        config.connections.per_address = 1;
        config.connections.total = 6;
        config.connections.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut all = Vec::new();
    for _ in 0..7 {
        all.push(connect(&app).await);
    }
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(rest(&mut all[0]).await, "", "the oldest one gave way");
    all[6].write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&mut all[6]).await, "200", "a proxy may have more than one");
}

#[tokio::test]
async fn webhook_without_well_formed_signature_is_refused_before_its_body() {
    let app = TestApp::start().await;
    for (signature, length, expected) in [
        (None, 4_000_000, "401"),
        (Some("sha256=12"), 4_000_000, "403"),
        (Some("sha1=0000"), 10, "403"),
        (Some(FALSE_SIGNATURE), 4 * 1024 * 1024 + 1, "413"),
    ] {
        let mut stream = announce(&app, signature, length).await;
        assert_eq!(status(&mut stream).await, expected, "{signature:?}");
        // What is still sent is read and dropped, so that the peer sees the answer.
        stream.write_all(&vec![b' '; length.min(3_000_000)]).await.unwrap();
        let _ = stream.shutdown().await;
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn large_unverified_bodies_give_way_and_small_webhooks_pass() {
    let app = TestApp::start().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = begin(&app, 4_000_000).await;
        stream.write_all(&[b' '; 1_000]).await.unwrap();
        slow.push(stream);
    }
    let mut refused = 0;
    for stream in &mut slow[..14] {
        assert_eq!(status(stream).await, "503");
        stream.shutdown().await.unwrap();
        refused += usize::from(rest(stream).await.contains("retry-after: 1"));
    }
    assert_eq!(refused, 14, "24 MiB are six bodies");
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    let signed = signature::sign(&SecretString::from(emulator::APP_SECRET), body);
    let webhook = app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, signed);
    assert_eq!(webhook.body(body.to_vec()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn readiness_writes_once_a_second() {
    let app = TestApp::start().await;
    app.take_commits();
    let writes = |app: &TestApp| app.take_commits().iter().filter(|name| **name == "health").count();
    for answer in futures::future::join_all((0..50).map(|_| app.get("/health/ready"))).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(writes(&app), 1);
    app.clock.forward(Span::from_millis(999));
    app.get("/health/ready").await;
    assert_eq!(writes(&app), 0);
    app.clock.forward(Span::from_millis(1));
    app.get("/health/ready").await;
    assert_eq!(writes(&app), 1);
}

#[tokio::test]
async fn metrics_and_deep_health_have_a_listener_of_their_own() {
    let app = TestApp::start().await;
    for path in ["/metrics", "/health/deep"] {
        assert_eq!(app.get(path).await.body["code"], "no_route", "{path}");
    }
    let deep = format!("{}/health/deep", app.app.operations_url().unwrap());
    let deep: serde_json::Value = reqwest::get(deep).await.unwrap().json().await.unwrap();
    assert_eq!((&deep["status"], &deep["database"]["status"]), (&"ok".into(), &"ok".into()), "{deep}");
    assert!(app.metrics().await.contains("connections_open"));
}

#[tokio::test]
async fn deep_health_warns_90_days_before_the_end_of_the_graph_version() {
    let app = TestApp::start().await;
    let graph = async || {
        let deep = format!("{}/health/deep", app.app.operations_url().unwrap());
        let deep: serde_json::Value = reqwest::get(deep).await.unwrap().json().await.unwrap();
        deep["graph_api"].clone()
    };
    let expected = serde_json::json!({"version": "v25.0", "ends": "2028-07-29", "warning": null});
    assert_eq!(graph().await, expected);
    let notice = Timestamp::parse_iso("2028-04-30T00:00:00Z").unwrap();
    app.clock.forward(notice - app.clock.now());
    assert_eq!(graph().await["warning"], "Meta ends it on 2028-07-29, in less than 90 days");
}

#[tokio::test]
async fn used_operations_address_fails_the_start_only_if_it_was_set() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let app = TestApp::with(true, |config| config.operations_listen = Some(address)).await;
    assert_eq!(app.app.operations_url(), None);
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(start(folder.path(), address).await, Err(StartError::OperationsListen(..))));
}

async fn start(folder: &std::path::Path, operations: SocketAddr) -> Result<server::App, StartError> {
    let settings = [
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("server.operations_listen", operations.to_string()),
        ("server.data_dir", folder.display().to_string()),
        ("llm.provider", "Rehearsal".to_owned()),
    ];
    let values = server::config::collect(None, &|_| None, &settings).unwrap();
    server::build(Config::read(&values, &|_| None, rehearsal::provider()).unwrap()).await
}
