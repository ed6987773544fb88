//! MCP servers over streamable HTTP: sessions, tool lists, results and streams.

use crate::{
    mcp_server::{
        about, answer, answered, call_of, code_of, egress, list_of, mcp, pages, result, seen, stream, text, tool, until,
    },
    server::{self, Reply, Request},
};
use domain::tool_request::ToolAnswer;
use serde_json::{Value, json};
use std::time::Duration;

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
        (json!({"content": [], "isError": true}), Err("the tool failed without a reason".into())),
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
    assert_eq!(replies.len(), 16, "the number of replies to a server is limited");
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
async fn ending_a_session_does_not_delay_the_result() {
    let server = mcp(|request, about| match about {
        "tools/call" => Some(result(request, &text("done"))),
        "DELETE" => Some(Reply::Hang),
        _ => None,
    })
    .await;
    assert_eq!(egress().send(&call_of(&server)).await, answered(json!("done"), false));
    assert_eq!(seen(&server, "DELETE").len(), 0, "the answer arrives before the session is deleted");
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
