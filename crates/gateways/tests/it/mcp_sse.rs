//! MCP servers over the old transport, HTTP with server-sent events.

use crate::{
    mcp_server::{Wrong, about, answer, asking, code_of, egress, egress_with, greeting, seen, until},
    server::{self, Reply, Request, Server},
};
use domain::{
    agent::Transport,
    tool_request::{ToolAnswer, ToolRequest},
};
use gateways::egress::Limits;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

type Sender = Arc<Mutex<Option<UnboundedSender<Vec<u8>>>>>;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// Events for the stream and the reply to the POST.
type Says = (Vec<Value>, Reply);

async fn old(
    beginning: &'static str,
    says: impl Fn(&Request, &str) -> Says + Send + Sync + 'static,
) -> (Server, Sender) {
    let stream = Sender::default();
    let kept = stream.clone();
    let server = Server::start(move |request| {
        let about = about(request);
        if about == "GET" {
            let (sender, receiver) = unbounded_channel();
            sender.send(format!("{HEAD}{beginning}").into_bytes()).unwrap();
            *kept.lock().unwrap() = Some(sender);
            return Reply::Stream(receiver);
        }
        let (events, reply) = says(request, &about);
        for event in events {
            let text = format!("event: message\r\ndata: {event}\r\n\r\n");
            kept.lock().unwrap().as_ref().unwrap().send(text.into_bytes()).ok();
        }
        reply
    })
    .await;
    (server, stream)
}

const ENDPOINT: &str = "event: endpoint\ndata: /messages?session=5\n\n";

fn accepted() -> Reply {
    server::http(202, &[], "Accepted")
}

/// A correct server.
fn correct_answer(request: &Request, about: &str) -> Says {
    let events = match about {
        "initialize" => vec![answer(request, &greeting())],
        "tools/list" => vec![answer(request, &json!({"tools": [{"name": "t", "inputSchema": {}}]}))],
        "tools/call" => vec![
            json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}),
            answer(request, &json!({"content": [{"type": "text", "text": "hello"}]})),
        ],
        _ => vec![],
    };
    (events, accepted())
}

fn call_of(server: &Server) -> ToolRequest {
    asking(server.url("/sse"), Transport::Sse, Some("t"))
}

#[tokio::test]
async fn sse_server_lists_and_calls_tools() {
    let (server, stream) = old(ENDPOINT, correct_answer).await;
    let list = egress().send(&asking(server.url("/sse"), Transport::Sse, None)).await;
    let content = json!([{"name": "t", "schema": {}}]);
    assert_eq!(list, ToolAnswer::Answered { status: 200, content, truncated: false });
    let answer = egress().send(&call_of(&server)).await;
    assert_eq!(answer, ToolAnswer::Answered { status: 200, content: json!("hello"), truncated: false });
    let order: Vec<_> = server.requests().iter().map(about).collect();
    let begin = ["GET", "initialize", "notifications/initialized"];
    assert_eq!(order, [&begin[..], &["tools/list"], &begin[..], &["tools/call", "reply"]].concat());
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer s"));
        let call = about(&request) == "tools/call";
        assert_eq!(request.header("idempotency-key"), call.then_some("step-7"));
        let path = request.line.split(' ').nth(1).unwrap();
        assert_eq!(path, if about(&request) == "GET" { "/sse" } else { "/messages?session=5" });
    }
    assert_eq!(seen(&server, "GET")[0].header("accept"), Some("text/event-stream"));
    let stream = stream.lock().unwrap().take().unwrap();
    tokio::time::timeout(Duration::from_secs(2), stream.closed()).await.unwrap();
}

#[tokio::test]
async fn messages_are_sent_only_to_the_configured_server() {
    let other = Server::start(|_| accepted()).await;
    let elsewhere = format!("event: endpoint\ndata: {}\n\n", other.url("/"));
    let elsewhere: &'static str = elsewhere.leak();
    for beginning in [
        elsewhere,
        "event: endpoint\ndata: http://169.254.169.254/\n\n",
        "event: endpoint\ndata: //169.254.169.254/\n\n",
        "event: endpoint\ndata: https://127.0.0.1/\n\n",
        "event: endpoint\ndata: http://[\n\n",
        "event: endpoint\ndata: file:///etc/passwd\n\n",
    ] {
        let (server, _stream) = old(beginning, correct_answer).await;
        let answer = egress().send(&call_of(&server)).await;
        assert_eq!(code_of(&answer).0, "blocked_address", "{beginning}");
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn failed_sse_call_is_not_repeated() {
    let limits = Limits { total: Duration::from_millis(400), body: 100_000, ..Limits::default() };
    let wrongs: [Wrong<Says>; 6] = [
        ("bad_response", "answered 500", |_| (vec![], server::http(500, &[], ""))),
        ("bad_response", "broken", |_| (vec![], Reply::Close)),
        ("bad_response", "longer than", |_| (vec![json!("x".repeat(200_000))], accepted())),
        ("read_timeout", "in time", |_| (vec![], accepted())),
        ("read_timeout", "in time", |_| (vec![], Reply::Hang)),
        ("mcp_error", "-1: no", |request| {
            (vec![json!({"id": request.json()["id"], "error": {"code": -1, "message": "no"}})], accepted())
        }),
    ];
    for (code, message, says) in wrongs {
        let (server, _stream) =
            old(
                ENDPOINT,
                move |request, about| {
                    if about == "tools/call" { says(request) } else { correct_answer(request, about) }
                },
            )
            .await;
        let answer = egress_with(limits).send(&call_of(&server)).await;
        let found = code_of(&answer);
        assert!(found.0 == code && found.1.contains(message), "{message}: {found:?}");
        assert_eq!(seen(&server, "tools/call").len(), 1);
        assert_eq!(seen(&server, "GET").len(), 1);
    }
}

#[tokio::test]
async fn broken_sse_stream_is_not_reopened() {
    let (server, stream) = old(ENDPOINT, |request, about| match about {
        "tools/call" => (vec![], Reply::Hang),
        _ => correct_answer(request, about),
    })
    .await;
    let call = call_of(&server);
    let calling = tokio::spawn(async move { egress().send(&call).await });
    until(|| seen(&server, "tools/call").len() == 1).await;
    stream.lock().unwrap().take();
    let answer = calling.await.unwrap();
    assert_eq!(code_of(&answer), ("bad_response", "the MCP server's stream breaks off"));
    assert_eq!((seen(&server, "GET").len(), seen(&server, "tools/call").len()), (1, 1));
}

#[tokio::test]
async fn response_may_arrive_before_the_post_is_answered() {
    let (server, _stream) = old(ENDPOINT, |request, about| {
        let (events, reply) = correct_answer(request, about);
        (events, if about == "tools/call" { Reply::Hang } else { reply })
    })
    .await;
    let answer = egress().send(&call_of(&server)).await;
    assert_eq!(answer, ToolAnswer::Answered { status: 200, content: json!("hello"), truncated: false });
}

#[tokio::test]
async fn server_without_endpoint_event_fails() {
    let limits = Limits { total: Duration::from_millis(300), ..Limits::default() };
    for (status, message) in [(401, "the MCP server answered 401"), (200, "does not answer with a stream of events")] {
        let server = Server::start(move |_| server::http(status, &[], "x")).await;
        let answer = egress_with(limits).send(&call_of(&server)).await;
        let found = code_of(&answer);
        assert!(found.0 == "bad_response" && found.1.contains(message), "{found:?}");
    }
    let (silent, _stream) = old(": nothing yet\n\n", correct_answer).await;
    assert_eq!(code_of(&egress_with(limits).send(&call_of(&silent)).await).0, "read_timeout");
}
