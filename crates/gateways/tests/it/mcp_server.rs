//! Scripted MCP servers and requests to them.

use crate::server::{self, Reply, Request, Server};
use domain::{
    agent::Transport,
    tool_request::{McpAsk, ToolAnswer, ToolRequest},
};
use gateways::egress::{Egress, EgressPolicy, Limits, Resolver};
use serde_json::{Value, json};
use std::time::Duration;

/// Expected code, a part of the expected message, and the server's behaviour.
pub type Wrong<T> = (&'static str, &'static str, fn(&Request) -> T);

pub fn egress_with(limits: Limits) -> Egress {
    let policy = EgressPolicy { allow: vec!["127.0.0.1/32".parse().unwrap()], limits, ..EgressPolicy::default() };
    Egress::new(policy, Resolver::scripted(|_| vec![[127, 0, 0, 1].into()]))
}

pub fn egress() -> Egress {
    egress_with(Limits::default())
}

pub fn asking(url: String, transport: Transport, tool: Option<&str>) -> ToolRequest {
    ToolRequest {
        method: "POST".into(),
        url,
        headers: vec![("Authorization".into(), "Bearer s".into())],
        body: tool.map(|_| json!({"a": 1})),
        idempotency_key: "step-7".into(),
        mcp: Some(McpAsk { transport, tool: tool.map(str::to_owned) }),
    }
}

pub fn list_of(server: &Server) -> ToolRequest {
    asking(server.url("/mcp"), Transport::StreamableHttp, None)
}

pub fn call_of(server: &Server) -> ToolRequest {
    asking(server.url("/mcp"), Transport::StreamableHttp, Some("t"))
}

pub fn code_of(answer: &ToolAnswer) -> (&str, &str) {
    match answer {
        ToolAnswer::Failed { code, message } => (code, message),
        ToolAnswer::Answered { .. } => panic!("answered: {answer:?}"),
    }
}

/// The method of a request's message, or of HTTP if it has none.
pub fn about(request: &Request) -> String {
    let http = request.line.split(' ').next().unwrap();
    if http != "POST" {
        return http.to_owned();
    }
    request.json()["method"].as_str().unwrap_or("reply").to_owned()
}

/// The received requests with a method.
pub fn seen(server: &Server, what: &str) -> Vec<Request> {
    server.requests().into_iter().filter(|request| about(request) == what).collect()
}

pub async fn until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the condition did not come true in time");
}

pub fn answer(request: &Request, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": request.json()["id"], "result": result})
}

pub fn greeting() -> Value {
    json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}})
}

pub fn result(request: &Request, result: &Value) -> Reply {
    server::json(200, &answer(request, result))
}

pub fn stream(events: &[Value]) -> Reply {
    let text: String = events.iter().map(|event| format!("event: message\ndata: {event}\n\n")).collect();
    server::http(200, &[("Content-Type", "text/event-stream; charset=utf-8")], text)
}

/// A server with a session and default replies, except those that `special` gives.
pub async fn mcp(special: impl Fn(&Request, &str) -> Option<Reply> + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        let about = about(request);
        special(request, &about).unwrap_or_else(|| match about.as_str() {
            "initialize" => {
                let kind = [("Content-Type", "application/json"), ("Mcp-Session-Id", "abc")];
                server::http(200, &kind, answer(request, &greeting()).to_string())
            }
            "GET" => server::http(405, &[], ""),
            _ => server::http(202, &[], ""),
        })
    })
    .await
}

/// A server whose tool gives this reply.
pub async fn tool(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    mcp(move |request, about| (about == "tools/call").then(|| reply(request))).await
}

/// A server with these pages of tools; the cursor is a number.
pub async fn pages(page: impl Fn(usize) -> Value + Send + Sync + 'static) -> Server {
    mcp(move |request, about| {
        let number = request.json_or_null()["params"]["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
        (about == "tools/list").then(|| result(request, &page(number)))
    })
    .await
}

pub fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

pub fn answered(content: Value, truncated: bool) -> ToolAnswer {
    ToolAnswer::Answered { status: 200, content, truncated }
}
