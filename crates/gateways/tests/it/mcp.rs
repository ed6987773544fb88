//! MCP servers over streamable HTTP, correct and faulty ones.

use crate::{
    mcp_server::{
        Wrong, about, answer, answered, asking, call_of, code_of, egress, egress_with, greeting, list_of, mcp, pages,
        result, seen, stream, text, tool, until,
    },
    server::{self, Reply, Request, Server},
};
use domain::{agent::Transport, tool_request::ToolAnswer};
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test]
async fn each_call_has_its_own_session() {
    let server = tool(|request| result(request, &text("hello"))).await;
    let mut call = call_of(&server);
    for name in
        ["Accept", "content-type", "Mcp-Session-Id", "mcp-protocol-version", "Last-Event-ID", "Idempotency-Key", "Host"]
    {
        call.headers.push((name.into(), "evil".into()));
    }
    assert_eq!(egress().send(&call).await, answered(json!("hello"), false));
    until(|| server.requests().len() == 4).await;
    let requests = server.requests();
    let order: Vec<_> = requests.iter().map(about).collect();
    assert_eq!(order, ["initialize", "notifications/initialized", "tools/call", "DELETE"]);
    for (at, request) in requests.iter().enumerate() {
        let session = (at > 0).then_some("abc");
        assert_eq!(request.header("mcp-session-id"), session);
        assert_eq!(request.header("mcp-protocol-version"), session.map(|_| "2025-06-18"));
        assert_eq!(request.header("idempotency-key"), (at == 2).then_some("step-7"));
        assert_eq!(request.header("authorization"), Some("Bearer s"));
        if at < 3 {
            assert_eq!(request.header("accept"), Some("application/json, text/event-stream"));
            assert_eq!(request.header("content-type"), Some("application/json"));
        }
        assert!(request.headers.iter().all(|(_, value)| value != "evil"), "{request:?}");
    }
    let params = requests[2].json()["params"].clone();
    assert_eq!(params, json!({"name": "t", "arguments": {"a": 1}}));
}

#[tokio::test]
async fn missing_arguments_become_an_object_and_other_types_are_refused() {
    let server = tool(|request| result(request, &text(""))).await;
    let mut call = call_of(&server);
    call.body = Some(json!([1]));
    assert_eq!(code_of(&egress().send(&call).await).0, "mcp_error");
    assert_eq!(server.connections(), 0);
    call.body = None;
    egress().send(&call).await;
    assert_eq!(seen(&server, "tools/call")[0].json()["params"]["arguments"], json!({}));
}

#[tokio::test]
async fn tool_results_become_content() {
    let data = "A".repeat(1644) + "A===";
    for (given, expected) in [
        (text("a\u{0}b"), Ok(json!("ab"))),
        (json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), Ok(json!("a\nb"))),
        (json!({"content": [], "structuredContent": {"a\u{0}": [1.5]}}), Ok(json!({"a": [1.5]}))),
        (json!({"structuredContent": {"a": 1}}), Ok(json!({"a": 1}))),
        (json!({"content": [{"type": "text", "text": "a"}], "structuredContent": null}), Ok(json!("a"))),
        (json!({"content": [], "isError": false}), Ok(json!(""))),
        (
            json!({"content": [
                {"type": "image", "mimeType": "image/png", "data": data},
                {"type": "audio", "data": 7},
                {"type": "resource_link", "name": "n\nm", "uri": "file:///x"},
                {"type": "resource", "resource": {"uri": "x:1", "text": "inside"}},
                {"type": "resource", "resource": {"uri": "x:2", "mimeType": "a/b", "blob": "QUJD"}},
                {"type": "video"},
                7,
            ]}),
            Ok(json!(
                "[image image/png, 1233 bytes]\n[audio unknown, 0 bytes]\n[resource n m at file:///x]\ninside\n\
                 [resource x:2 a/b, 3 bytes]\n[video]\n[unknown]"
            )),
        ),
        (json!({"content": [{"type": "text", "text": "no such order"}], "isError": true}), Err("no such order".into())),
        (json!({"content": [], "structuredContent": {"e": 1}, "isError": true}), Err("{\"e\":1}".into())),
        (json!({"content": [], "isError": true}), Err("the tool failed and does not say why".into())),
        (json!({"content": [{"type": "text", "text": "é".repeat(9_000)}], "isError": true}), Err("é".repeat(1_024))),
    ] {
        let expected = match expected {
            Ok(content) => answered(content, false),
            Err(message) => ToolAnswer::Failed { code: "tool_error".into(), message },
        };
        let as_json = given.clone();
        let server = tool(move |request| result(request, &as_json)).await;
        assert_eq!(egress().send(&call_of(&server)).await, expected, "{given}");
        let as_events = given.clone();
        let server = tool(move |request| stream(&[answer(request, &as_events)])).await;
        assert_eq!(egress().send(&call_of(&server)).await, expected, "{given}");
    }
}

#[tokio::test]
async fn tools_beyond_the_limits_are_left_out() {
    let schema =
        |bytes: usize| json!({"type": "object", "title": "x".repeat(bytes - r#"{"type":"object","title":""}"#.len())});
    let named = |name: &str| json!({"name": name, "inputSchema": {}});
    let kept = |name: &str| json!([{"name": name, "schema": {}}]);
    for (tool, expected, truncated) in [
        (
            json!({"name": "t", "description": "d", "inputSchema": {"a": 1}}),
            json!([{"name": "t", "description": "d", "schema": {"a": 1}}]),
            false,
        ),
        (named(&"é".repeat(128)), kept(&"é".repeat(128)), false),
        (named(&"é".repeat(129)), json!([]), true),
        (named("a\u{0}b"), kept("ab"), false),
        (named(""), json!([]), true),
        (named("\u{0}"), json!([]), true),
        (json!({"inputSchema": {}}), json!([]), true),
        (json!({"name": 7, "inputSchema": {}}), json!([]), true),
        (json!({"name": "t", "inputSchema": []}), json!([]), true),
        (json!({"name": "t"}), json!([]), true),
        (json!(7), json!([]), true),
        (
            json!({"name": "t", "inputSchema": schema(16 << 10)}),
            json!([{"name": "t", "schema": schema(16 << 10)}]),
            false,
        ),
        (json!({"name": "t", "inputSchema": schema((16 << 10) + 1)}), json!([]), true),
        (
            json!({"name": "t", "description": format!("{}é", "x".repeat(2047)), "inputSchema": {}}),
            json!([{"name": "t", "description": "x".repeat(2047), "schema": {}}]),
            false,
        ),
    ] {
        let given = tool.clone();
        let server = pages(move |_| json!({"tools": [given, named("good")]})).await;
        let mut expected = expected;
        expected.as_array_mut().unwrap().push(kept("good")[0].clone());
        assert_eq!(egress().send(&list_of(&server)).await, answered(expected, truncated), "{tool}");
    }
    let server = pages(move |_| json!({"tools": [named("t"), {"name": "t", "inputSchema": {"b": 1}}]})).await;
    assert_eq!(egress().send(&list_of(&server)).await, answered(kept("t"), false));
}

#[tokio::test]
async fn endless_tool_lists_are_cut() {
    let many = |from: usize, count: usize| {
        (from..from + count).map(|at| json!({"name": at.to_string(), "inputSchema": {}})).collect::<Vec<_>>()
    };
    for (step, next, tools, lists, truncated) in [
        // Endless pages.
        (1, 1, 10, 10, true),
        // A cursor that points at its own page.
        (1, 0, 2, 2, false),
        // Full after two pages, with more to follow.
        (40, 1, 64, 2, true),
    ] {
        let server = pages(move |page| {
            let next = if next == 0 { "7".into() } else { (page + 1).to_string() };
            json!({"tools": many(page * step, step), "nextCursor": next})
        })
        .await;
        let ToolAnswer::Answered { content, truncated: left_out, .. } = egress().send(&list_of(&server)).await else {
            panic!()
        };
        let found = (content.as_array().unwrap().len(), seen(&server, "tools/list").len(), left_out);
        assert_eq!(found, (tools, lists, truncated), "{step} {next}");
    }
    let server = pages(move |_| json!({"tools": many(0, 64)})).await;
    assert!(matches!(egress().send(&list_of(&server)).await, ToolAnswer::Answered { truncated: false, .. }));
    let server = pages(|_| json!({"tools": {}})).await;
    assert_eq!(code_of(&egress().send(&list_of(&server)).await).0, "bad_response");
}

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
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let said = String::from_utf8_lossy(&head[..length]).into_owned();
            if said.contains("\"initialize\"") {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
                stream.write_all(format!("{head}{}\r\n\r\n{greeting}", greeting.len()).as_bytes()).await.unwrap();
            } else if said.contains("notifications/initialized") {
                stream
                    .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .await
                    .unwrap();
            }
            held.push(stream);
        }
    });
    let limits = Limits { total: Duration::from_millis(1_500), ..Limits::default() };
    assert_eq!(code_of(&egress_with(limits).send(&call).await).0, "write_timeout");
}

#[tokio::test]
async fn session_has_a_total_size_limit() {
    let limits = Limits { body: 100_000, ..Limits::default() };
    let flood = |kind: &str, again: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n");
        Reply::Flood(head.into_bytes(), again.repeat(1_000).into_bytes())
    };
    for (kind, again) in [
        ("application/json", " "),
        ("text/event-stream", "data: x"),
        ("text/event-stream", ": x\n"),
        ("text/event-stream", "data: {}\n\n"),
    ] {
        let server = tool(move |_| flood(kind, again)).await;
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
async fn server_requests_are_answered() {
    let server = tool(|request| {
        let asked = |id: Value, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method});
        let mut events = vec![
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
            asked(json!("p"), "ping"),
            asked(json!(1), "sampling/createMessage"),
            asked(json!(2), "roots/list"),
            asked(json!(3), "elicitation/create"),
        ];
        events.extend((0..50).map(|id| asked(json!(id), "ping")));
        events.push(answer(request, &text("done")));
        stream(&events)
    })
    .await;
    assert_eq!(egress().send(&call_of(&server)).await, answered(json!("done"), false));
    let replies: Vec<Value> = seen(&server, "reply").iter().map(Request::json).collect();
    assert_eq!(replies[0], json!({"jsonrpc": "2.0", "id": "p", "result": {}}));
    for (reply, id) in replies[1..4].iter().zip(1..) {
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!(id), &json!(-32601)));
    }
    assert_eq!(replies.len(), 16, "a server cannot make us answer without end");
}

#[tokio::test]
async fn refused_replies_do_not_stop_the_response() {
    let server = mcp(|request, about| match about {
        "reply" => Some(server::http(500, &[], "")),
        "tools/call" => Some(stream(&[json!({"id": 9, "method": "ping"}), answer(request, &text("done"))])),
        _ => None,
    })
    .await;
    assert_eq!(egress().send(&call_of(&server)).await, answered(json!("done"), false));
}

#[tokio::test]
async fn broken_stream_is_resumed_without_repeating_the_call() {
    let server = mcp(|request, about| match about {
        "tools/call" => {
            let begun = "id: e1\nretry: 1\ndata:\n\n";
            Some(server::http(200, &[("Content-Type", "text/event-stream")], begun))
        }
        "GET" if request.header("last-event-id") == Some("e1") => {
            Some(server::http(200, &[("Content-Type", "text/event-stream")], "id: e2\ndata: {}\n\n"))
        }
        "GET" if request.header("last-event-id") == Some("e2") => {
            Some(stream(&[json!({"id": 2, "result": text("at last")})]))
        }
        _ => None,
    })
    .await;
    assert_eq!(egress().send(&call_of(&server)).await, answered(json!("at last"), false));
    assert_eq!((seen(&server, "tools/call").len(), seen(&server, "GET").len()), (1, 2));
    assert_eq!(seen(&server, "GET")[0].header("mcp-session-id"), Some("abc"));
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
    let fickle = Resolver::scripted(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => vec![[127, 0, 0, 1].into()],
        _ => vec![[169, 254, 169, 254].into()],
    });
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], ..EgressPolicy::default() };
    let call = asking(format!("http://mcp.test:{}/mcp", server.port), Transport::StreamableHttp, Some("t"));
    assert_eq!(Egress::new(policy, fickle).send(&call).await, answered(json!(""), false));
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

#[tokio::test]
async fn ending_a_session_does_not_delay_the_result() {
    let server = mcp(|request, about| match about {
        "tools/call" => Some(result(request, &text("done"))),
        "DELETE" => Some(Reply::Hang),
        _ => None,
    })
    .await;
    assert_eq!(egress().send(&call_of(&server)).await, answered(json!("done"), false));
    assert_eq!(seen(&server, "DELETE").len(), 0, "the answer is there before the end is said");
    until(|| seen(&server, "DELETE").len() == 1).await;
    assert_eq!(seen(&server, "DELETE")[0].header("mcp-session-id"), Some("abc"));
}

#[tokio::test]
async fn dropped_call_leaves_no_task() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let receiver = std::sync::Mutex::new(Some(receiver));
    sender.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_vec()).unwrap();
    let server = tool(move |_| Reply::Stream(receiver.lock().unwrap().take().unwrap())).await;
    let call = call_of(&server);
    let calling = tokio::spawn(async move { egress().send(&call).await });
    until(|| seen(&server, "tools/call").len() == 1).await;
    assert!(!sender.is_closed());
    calling.abort();
    tokio::time::timeout(Duration::from_secs(2), sender.closed()).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}
