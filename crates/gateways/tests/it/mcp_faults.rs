//! Faulty or unreachable MCP servers over streamable HTTP, and the limits of a request.

use crate::{
    mcp_server::{
        Wrong, answered, asking, call_of, code_of, egress, egress_with, greeting, list_of, mcp, pages, result, seen,
        stream, text, tool, until,
    },
    server::{self, Reply, Server},
};
use domain::agent::Transport;
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use serde_json::json;
use std::{
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test]
async fn failed_call_is_not_repeated() {
    let kind = [("Content-Type", "text/event-stream")];
    let replies: [Wrong<Reply>; 14] = [
        ("bad_response", "answered 401", |_| server::http(401, &[], "")),
        ("bad_response", "answered 404", |_| server::http(404, &[], "")),
        ("bad_response", "answered 503", |_| server::http(503, &[("Retry-After", "0")], "")),
        ("bad_response", "answered 307", |_| server::http(307, &[("Location", "/mcp")], "")),
        ("bad_response", "neither", |_| server::http(202, &[], "")),
        ("bad_response", "neither", |_| server::http(200, &[("Content-Type", "text/html")], "<html>")),
        ("bad_response", "no JSON", |_| server::http(200, &[("Content-Type", "application/json")], "{")),
        ("bad_response", "no JSON", |_| server::http(200, &[("Content-Type", "application/json")], "[".repeat(9_000))),
        ("bad_response", "no answer", |_| server::json(200, &json!({"jsonrpc": "2.0", "id": 99, "result": {}}))),
        ("bad_response", "no result", |request| result(request, &json!({"resultType": "input_required"}))),
        ("bad_response", "broken", |_| Reply::Close),
        ("bad_response", "breaks off", |_| stream(&[])),
        ("mcp_error", "-32602: Unknown tool", |request| {
            let error = json!({"code": -32602, "message": "Unknown tool"});
            server::json(200, &json!({"jsonrpc": "2.0", "id": request.json()["id"], "error": error}))
        }),
        ("mcp_error", "-32700: what", |_| stream(&[json!({"id": null, "error": {"code": -32700, "message": "what"}})])),
    ];
    for (code, message, reply) in replies {
        let server = tool(reply).await;
        let answer = egress().send(&call_of(&server)).await;
        let found = code_of(&answer);
        assert!(found.0 == code && found.1.contains(message), "{message}: {found:?}");
        until(|| seen(&server, "DELETE").len() == 1).await;
        assert_eq!(seen(&server, "tools/call").len(), 1, "{message}");
        assert_eq!(seen(&server, "initialize").len(), 1, "{message}");
    }
    // In the middle of an answer.
    for head in ["Content-Length: 99", "Transfer-Encoding: chunked"] {
        for content in ["application/json", kind[0].1] {
            let cut = format!("HTTP/1.1 200 OK\r\nContent-Type: {content}\r\n{head}\r\n\r\n40\r\ndata: {{\"id\"");
            let server = tool(move |_| Reply::Bytes(cut.clone().into_bytes())).await;
            assert_eq!(code_of(&egress().send(&call_of(&server)).await).0, "bad_response");
            assert_eq!(seen(&server, "tools/call").len(), 1);
        }
    }
}

#[tokio::test]
async fn server_without_initialize_gets_no_request() {
    let replies: [Wrong<Reply>; 5] = [
        ("bad_response", "answered 401", |_| server::http(401, &[("WWW-Authenticate", "Bearer")], "")),
        ("bad_response", "answered 405", |_| server::http(405, &[], "")),
        ("bad_response", "no version of MCP that is known here: 2099-01-01", |request| {
            result(request, &json!({"protocolVersion": "2099-01-01"}))
        }),
        ("bad_response", "no version of MCP", |request| result(request, &json!({}))),
        ("mcp_error", "-1: no", |_| server::json(200, &json!({"id": 1, "error": {"code": -1, "message": "no"}}))),
    ];
    for (code, message, reply) in replies {
        let server = mcp(move |request, about| (about == "initialize").then(|| reply(request))).await;
        for request in [list_of(&server), call_of(&server)] {
            let answer = egress().send(&request).await;
            let found = code_of(&answer);
            assert!(found.0 == code && found.1.contains(message), "{message}: {found:?}");
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn stalled_server_times_out_and_its_session_ends() {
    let limits = Limits { total: Duration::from_millis(300), ..Limits::default() };
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: ".to_vec();
    for what in ["initialize", "notifications/initialized", "tools/call", "dripping"] {
        let head = head.clone();
        let server = mcp(move |_, about| match (what, about) {
            ("dripping", "tools/call") => Some(Reply::Drip(head.clone())),
            (what, about) => (what == about).then_some(Reply::Hang),
        })
        .await;
        let begun = Instant::now();
        let answer = egress_with(limits).send(&call_of(&server)).await;
        assert_eq!(code_of(&answer).0, "read_timeout", "{what}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        until(|| seen(&server, "DELETE").len() == usize::from(what != "initialize")).await;
        assert!(seen(&server, "tools/call").len() <= 1);
    }
}

#[tokio::test]
async fn listing_times_out_after_ten_seconds_and_calls_after_thirty() {
    for (about, seconds) in [("tools/list", 10), ("tools/call", 30)] {
        let server = mcp(move |_, what| (what == about).then_some(Reply::Hang)).await;
        let request = if seconds == 10 { list_of(&server) } else { call_of(&server) };
        let begun = tokio::time::Instant::now();
        let asked = tokio::spawn(async move { egress().send(&request).await });
        until(|| seen(&server, about).len() == 1).await;
        tokio::time::pause();
        assert_eq!(code_of(&asked.await.unwrap()).0, "read_timeout");
        assert_eq!(begun.elapsed().as_secs(), seconds);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn unread_arguments_are_reported_as_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut call = asking(format!("http://{}/", listener.local_addr().unwrap()), Transport::StreamableHttp, Some("t"));
    call.body = Some(json!({"a": "x".repeat(32 << 20)}));
    tokio::spawn(async move {
        let greeting = json!({"id": 1, "result": greeting()}).to_string();
        let mut streams = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let request = String::from_utf8_lossy(&head[..length]).into_owned();
            if request.contains("\"initialize\"") {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
                stream.write_all(format!("{head}{}\r\n\r\n{greeting}", greeting.len()).as_bytes()).await.unwrap();
            } else if request.contains("notifications/initialized") {
                stream
                    .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .await
                    .unwrap();
            }
            streams.push(stream);
        }
    });
    let limits = Limits { total: Duration::from_millis(1_500), ..Limits::default() };
    assert_eq!(code_of(&egress_with(limits).send(&call).await).0, "write_timeout");
}

#[tokio::test]
async fn session_has_a_total_size_limit() {
    let limits = Limits { body: 100_000, ..Limits::default() };
    let many_events = |kind: &str, again: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n");
        Reply::Flood(head.into_bytes(), again.repeat(1_000).into_bytes())
    };
    for (kind, again) in [
        ("application/json", " "),
        ("text/event-stream", "data: x"),
        ("text/event-stream", ": x\n"),
        ("text/event-stream", "data: {}\n\n"),
    ] {
        let server = tool(move |_| many_events(kind, again)).await;
        let answer = egress_with(limits).send(&call_of(&server)).await;
        let (code, message) = code_of(&answer);
        assert!(code == "bad_response" && message.contains("longer than 100000 bytes"), "{kind} {again}: {message}");
    }
    let bulk = |page: usize| json!({"tools": [], "bulk": "x".repeat(30_000), "nextCursor": (page + 1).to_string()});
    let server = pages(bulk).await;
    assert_eq!(code_of(&egress_with(limits).send(&list_of(&server)).await).0, "bad_response");
    assert_eq!(seen(&server, "tools/list").len(), 4);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::start(|_| server::http(200, &[], "")).await;
    for location in [other.url("/mcp"), "http://169.254.169.254/".into()] {
        for status in [301, 302, 303, 307, 308] {
            for (what, transport) in [
                ("initialize", Transport::StreamableHttp),
                ("tools/call", Transport::StreamableHttp),
                ("DELETE", Transport::StreamableHttp),
                ("GET", Transport::Sse),
            ] {
                let location = location.clone();
                let moved = move || server::http(status, &[("Location", &location)], "");
                let server = mcp(move |_, about| (about == what).then(&moved)).await;
                let answer = egress().send(&asking(server.url("/mcp"), transport, Some("t"))).await;
                let (code, message) = code_of(&answer);
                let redirected = message.contains("redirects are not followed");
                assert!(code == "bad_response" && (redirected || what == "DELETE"), "{what} {status}: {message}");
                until(|| seen(&server, what).len() == 1).await;
            }
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn connections_go_only_to_checked_addresses() {
    let server = tool(|request| result(request, &text(""))).await;
    let unreachable = Egress::new(EgressPolicy::default(), Resolver::scripted(|_| vec![[127, 0, 0, 1].into()]));
    for url in [server.url("/mcp"), format!("http://mcp.test:{}/mcp", server.port), "http://169.254.169.254/".into()] {
        for transport in [Transport::StreamableHttp, Transport::Sse] {
            let answer = unreachable.send(&asking(url.clone(), transport, Some("t"))).await;
            assert_eq!(code_of(&answer).0, "blocked_address", "{url}");
        }
    }
    assert_eq!(server.connections(), 0);
    // The name is resolved once, so rebinding fails.
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = lookups.clone();
    let changing = Resolver::scripted(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => vec![[127, 0, 0, 1].into()],
        _ => vec![[169, 254, 169, 254].into()],
    });
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..EgressPolicy::default() };
    let call = asking(format!("http://mcp.test:{}/mcp", server.port), Transport::StreamableHttp, Some("t"));
    assert_eq!(Egress::new(policy, changing).send(&call).await, answered(json!(""), false));
    assert_eq!(lookups.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn unreachable_servers_have_the_codes_of_webhooks() {
    let limits = Limits { connect: Duration::from_millis(300), ..Limits::default() };
    let no_tls = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let no_tls_url = format!("https://{}/", no_tls.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = no_tls.accept().await {
            let _hello = stream.read(&mut [0; 4096]).await;
            stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await.ok();
        }
    });
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    for (url, code) in [
        (format!("http://127.0.0.1:{}/", server::closed_port().await), "connect_error"),
        (no_tls_url, "tls_error"),
        (format!("https://{}/", silent.local_addr().unwrap()), "connect_timeout"),
        (String::new(), "missing_url"),
        ("ftp://127.0.0.1/".into(), "blocked_address"),
        ("http://u:p@127.0.0.1/".into(), "blocked_address"),
    ] {
        for transport in [Transport::StreamableHttp, Transport::Sse] {
            let answer = egress_with(limits).send(&asking(url.clone(), transport, None)).await;
            assert_eq!(code_of(&answer).0, code, "{url}");
        }
    }
}
