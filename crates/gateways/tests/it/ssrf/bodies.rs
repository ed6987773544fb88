//! Responses that try to exhaust memory or time.

use super::{HOME, code, get};
use crate::server::{self, Reply, Server};
use domain::tool_request::ToolAnswer;
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// For cases that end by size.
const AMPLE: Duration = Duration::from_secs(20);
/// For cases that end by time.
const SHORT: Duration = Duration::from_millis(400);

/// Returns the result for a permitted server's reply and checks the time.
async fn answer_to(total: Duration, reply: impl Fn() -> Reply + Send + Sync + 'static) -> ToolAnswer {
    let listener = TcpListener::bind((IpAddr::from(HOME), 0)).await.unwrap();
    let server = Server::on(listener, move |_| reply());
    let policy = EgressPolicy {
        allow: vec!["127.0.0.5/32".parse().unwrap()],
        limits: Limits { total, ..Limits::default() },
        ..EgressPolicy::default()
    };
    let began = Instant::now();
    let answer = Egress::new(policy, Resolver::System).send(&get(&format!("http://127.0.0.5:{}/", server.port))).await;
    assert!(began.elapsed() < total + AMPLE, "{:?}", began.elapsed());
    answer
}

fn text(answer: ToolAnswer) -> (usize, bool) {
    let ToolAnswer::Answered { content, truncated, .. } = answer else { panic!("{answer:?}") };
    (content["text"].as_str().unwrap().len(), truncated)
}

#[tokio::test]
async fn endless_body_is_read_to_the_limit() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\nContent-Type: application/json\r\n\r\n[",
    ] {
        let answer = answer_to(AMPLE, move || Reply::Flood(head.into(), "x".repeat(64 * 1024).into())).await;
        assert_eq!(text(answer), (1 << 20, true), "{head}");
    }
}

#[tokio::test]
async fn endless_chunks_are_read_to_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let answer = answer_to(AMPLE, move || Reply::Flood(head.clone(), "a\r\n0123456789\r\n".repeat(1_000).into())).await;
    assert_eq!(text(answer), (1 << 20, true));
}

#[tokio::test]
async fn endless_gzip_is_read_to_the_limit() {
    // The head and one block of the bomb. The rest never arrives and is not needed once the limit
    // is reached.
    let bomb: &[u8] = include_bytes!("../../fixtures/8-mib-of-zeros.gz");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len() * 1_000);
    let reply = [head.as_bytes(), bomb].concat();
    let answer = answer_to(AMPLE, move || Reply::Flood(reply.clone(), bomb.to_vec())).await;
    assert_eq!(text(answer), (1 << 20, true));
}

#[tokio::test]
async fn endless_or_broken_headers_fail() {
    let long =
        answer_to(AMPLE, || Reply::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), "X-A: b\r\n".repeat(1_000).into())).await;
    assert_eq!(code(&long), "bad_response");
    let one = answer_to(AMPLE, || Reply::Flood(b"HTTP/1.1 200 OK\r\nX-A: ".to_vec(), "b".repeat(10_000).into())).await;
    assert_eq!(code(&one), "bad_response");
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        "HTTP/1.1 99999 No\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ] {
        let answer = answer_to(AMPLE, move || Reply::Bytes(head.into())).await;
        assert_eq!(code(&answer), "bad_response", "{head}");
    }
}

#[tokio::test]
async fn endless_interim_responses_time_out() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let answer = answer_to(SHORT, move || Reply::Flood(vec![], interim.repeat(100).into())).await;
    assert!(matches!(code(&answer), "read_timeout" | "bad_response"), "{answer:?}");
}

#[tokio::test]
async fn dripping_body_times_out() {
    for head in ["HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", "HTTP/1.1 200 OK\r\nX-Slow: "] {
        let answer = answer_to(SHORT, move || Reply::Drip(head.into())).await;
        assert!(matches!(code(&answer), "read_timeout" | "bad_response"), "{answer:?}");
    }
}

#[tokio::test]
async fn invalid_gzip_fails() {
    let answer = answer_to(AMPLE, || server::http(200, &[("Content-Encoding", "gzip")], "plain")).await;
    assert_eq!(code(&answer), "bad_response");
}
