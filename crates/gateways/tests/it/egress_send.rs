//! Single tool requests and their results.

use crate::server::{self, Reply, Server};
use domain::tool_request::{ToolAnswer, ToolRequest};
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpListener};

fn egress_with(limits: Limits) -> Egress {
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], limits, ..EgressPolicy::default() };
    Egress::new(policy, Resolver::scripted(|_| vec![[127, 0, 0, 1].into()]))
}

fn egress() -> Egress {
    egress_with(Limits::default())
}

fn request(method: &str, url: String, body: Option<Value>) -> ToolRequest {
    ToolRequest {
        method: method.to_owned(),
        url,
        headers: vec![],
        body,
        idempotency_key: String::from("step-7"),
        mcp: None,
    }
}

async fn answer_to(reply: impl Fn() -> Reply + Send + Sync + 'static) -> ToolAnswer {
    let server = Server::start(move |_| reply()).await;
    egress().send(&request("POST", server.url("/"), None)).await
}

fn failed(answer: ToolAnswer) -> String {
    match answer {
        ToolAnswer::Failed { code, .. } => code,
        ToolAnswer::Answered { .. } => panic!("answered: {answer:?}"),
    }
}

#[tokio::test]
async fn request_is_sent_as_configured() {
    let server = Server::start(|_| server::http(201, &[], "{\"id\": 7}")).await;
    let mut order =
        request("POST", format!("http://shop.test:{}/orders?x=1", server.port), Some(json!({"z": 1, "a": "é"})));
    order.headers.push((String::from("Authorization"), String::from("Bearer s")));
    order.headers.push((String::from("Host"), String::from("evil.example")));
    let answer = egress().send(&order).await;
    assert_eq!(answer, ToolAnswer::Answered { status: 201, content: json!({"id": 7}), truncated: false });
    let seen = server.requests()[0].clone();
    assert_eq!(seen.line, "POST /orders?x=1 HTTP/1.1");
    assert_eq!(seen.body, r#"{"z":1,"a":"é"}"#.as_bytes());
    assert_eq!(seen.header("host"), Some(format!("shop.test:{}", server.port).as_str()));
    assert_eq!(seen.header("authorization"), Some("Bearer s"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("content-length"), Some("16"));
    assert_eq!(seen.header("transfer-encoding"), None);
    assert_eq!(seen.header("idempotency-key"), Some("step-7"));
    assert!(seen.header("user-agent").unwrap().starts_with("chasqui/"));
}

#[tokio::test]
async fn text_body_is_sent_unchanged_and_no_body_as_none() {
    let server = Server::start(|_| server::http(200, &[], "")).await;
    let text = request("PUT", server.url("/"), Some(json!("<xml/>")));
    egress().send(&text).await;
    egress().send(&request("DELETE", server.url("/"), None)).await;
    let [text, none] = server.requests().try_into().unwrap();
    assert_eq!(text.body, b"<xml/>");
    assert_eq!((none.header("content-type"), none.header("content-length")), (None, None));
}

#[tokio::test]
async fn every_status_is_a_response() {
    for status in [200, 204, 400, 404, 429, 500, 503] {
        let answer = answer_to(move || server::http(status, &[], "")).await;
        assert!(matches!(answer, ToolAnswer::Answered { status: got, .. } if got == status), "{answer:?}");
    }
    assert_eq!(
        answer_to(|| server::http(500, &[], "oops")).await,
        ToolAnswer::Answered { status: 500, content: json!({"text": "oops"}), truncated: false }
    );
}

#[tokio::test]
async fn long_responses_are_cut() {
    for (length, cut) in [(1 << 20, false), ((1 << 20) + 1, true), (3 << 20, true)] {
        let answer = answer_to(move || server::http(200, &[], "x".repeat(length))).await;
        let ToolAnswer::Answered { content, truncated, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(truncated, cut, "{length}");
        assert_eq!(content["text"].as_str().unwrap().len(), 1 << 20);
    }
}

#[tokio::test]
async fn decompression_bomb_is_cut_at_the_decompressed_size() {
    let bomb: &[u8] = include_bytes!("../fixtures/8-mib-of-zeros.gz");
    assert!(bomb.len() < 10_000);
    let answer = answer_to(move || server::http(200, &[("Content-Encoding", "gzip")], bomb)).await;
    let ToolAnswer::Answered { content, truncated, .. } = answer else { panic!("{answer:?}") };
    assert!(truncated);
    assert_eq!(content["text"].as_str().unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn cookies_are_not_kept() {
    let server = Server::start(|_| server::http(200, &[("Set-Cookie", "a=b")], "")).await;
    let egress = egress();
    for _ in 0..2 {
        egress.send(&request("GET", server.url("/"), None)).await;
    }
    assert!(server.requests().iter().all(|request| request.header("cookie").is_none()));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn failures_have_codes() {
    assert_eq!(failed(answer_to(|| Reply::Bytes(b"garbage\r\n\r\n".to_vec())).await), "bad_response");
    assert_eq!(failed(answer_to(|| Reply::Close).await), "bad_response");
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec();
    assert_eq!(failed(answer_to(move || Reply::Bytes(cut.clone())).await), "bad_response");
    let unreachable = format!("http://127.0.0.1:{}/", server::closed_port().await);
    assert_eq!(failed(egress().send(&request("POST", unreachable, None)).await), "connect_error");
    let empty = request("POST", String::new(), None);
    assert_eq!(failed(egress().send(&empty).await), "missing_url");
    let connect = request("CONNECT", String::from("http://127.0.0.1/"), None);
    assert_eq!(failed(egress().send(&connect).await), "blocked_address");
}

#[tokio::test]
async fn silent_server_times_out() {
    let limits = Limits { total: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start(|_| Reply::Hang).await;
    let post = request("POST", server.url("/"), Some(json!({})));
    assert_eq!(failed(egress_with(limits).send(&post).await), "read_timeout");
    let half = || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec());
    let server = Server::start(move |_| half()).await;
    let answer = egress_with(limits).send(&request("GET", server.url("/"), None)).await;
    assert!(matches!(failed(answer).as_str(), "read_timeout" | "bad_response"));
}

#[tokio::test]
async fn server_that_reads_nothing_times_out() {
    let limits = Limits { total: Duration::from_millis(90), ..Limits::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let large = request("POST", url, Some(json!("x".repeat(32 << 20))));
    assert_eq!(failed(egress_with(limits).send(&large).await), "write_timeout");
}

#[tokio::test]
async fn endless_handshake_times_out() {
    let limits = Limits { connect: Duration::from_millis(50), ..Limits::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let answer = egress_with(limits).send(&request("POST", url, None)).await;
    assert_eq!(failed(answer), "connect_timeout");
}

#[tokio::test]
async fn tls_uses_the_host_name_with_a_pinned_address() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://shop.example:{}/", listener.local_addr().unwrap().port());
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        bytes.truncate(length);
        // Anything but TLS.
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad\r\n\r\n").await.unwrap();
        bytes
    });
    assert_eq!(failed(egress().send(&request("POST", url, None)).await), "tls_error");
    let hello = hello.await.unwrap();
    assert!(hello.windows(12).any(|part| part == b"shop.example"));
}

#[tokio::test]
async fn only_a_get_is_retried_after_a_failed_connection() {
    for (method, attempts) in [("GET", 2), ("POST", 1), ("DELETE", 1)] {
        let server = Server::closing().await;
        let url = format!("https://127.0.0.1:{}/", server.port);
        let answer = egress().send(&request(method, url, None)).await;
        assert_eq!(failed(answer), "connect_error", "{method}");
        assert_eq!(server.connections(), attempts, "{method}");
    }
}

#[tokio::test]
async fn client_serves_many_tasks_at_once() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let server = Server::start(|_| server::http(200, &[], "1")).await;
    let egress = std::sync::Arc::new(shared(egress()));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (egress, request) = (egress.clone(), request("GET", server.url("/"), None));
            tokio::spawn(async move { egress.send(&request).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), ToolAnswer::Answered { status: 200, .. }));
    }
}
