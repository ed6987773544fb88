//! The answer of a webhook or of an MCP server, from its bytes to the model's next request.

use super::play::{Asks, Play, compiled, graph};
use crate::measure::{Bound, Case, Kind, MIB};
use domain::tool_request::ToolAnswer;
use engine::{Input, ToolList, prepare_tool_lists};
use gateways::readers;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub static KIND: Kind = Kind {
    name: "answer",
    bound: Bound { work: (300, 128 * MIB), peak: (100, 32 * MIB) },
    most: 1 << 20,
    seeds,
    words: &[
        "jsonrpc",
        "2.0",
        "id",
        "result",
        "error",
        "content",
        "structuredContent",
        "type",
        "text",
        "image",
        "resource",
        "data",
        "mimeType",
        "isError",
        "tools",
        "name",
        "inputSchema",
        "properties",
        "pattern",
        "description",
        "$ref",
        "#",
        "allOf",
        "top secret",
        "topsecret",
        "s",
        "\u{0}",
        "\\u0000",
        "é",
        "[",
        "]",
        "[],",
        "{",
        "}",
        ",",
        "<",
        "\n",
        "\"",
        "\\",
        "how",
        "webhook",
        "call",
        "list",
        "secrets",
        "method",
        "ping",
        "code",
        "message",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let result = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let answer = |how: &str, body: Value| json!({"how": how, "body": body, "secrets": {"k": "top secret"}});
    let tool = json!({"name": "t$i", "description": "Helps", "inputSchema": {"type": "object", "properties": {"a$i": {"pattern": "a{1,20}$i"}}}});
    vec![
        answer("webhook", json!([{"$times": 500, "of": []}])),
        answer("webhook", json!({"$text": [{"$times": 500, "of": "a,b top secret\n"}]})),
        answer("webhook", json!({"$fields": 300, "name": "top secret $i", "of": "top secret"})),
        answer("webhook", json!({"$nest": 60, "in": "list", "of": [{"$times": 50, "of": "x"}]})),
        answer("call", result(json!({"content": [{"$times": 100, "of": {"type": "text", "text": "word\u{0}"}}]}))),
        answer(
            "call",
            result(json!({"content": [], "structuredContent": {"list": [{"$times": 300, "of": {"a": [1, 2]}}]}})),
        ),
        answer("call", json!([{"$times": 300, "of": {"jsonrpc": "2.0", "method": "ping", "id": "$i"}}])),
        answer(
            "call",
            json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": {"$text": [{"$times": 300, "of": "no "}]}}}),
        ),
        answer("list", result(json!({"tools": [{"$times": 30, "of": tool}]}))),
        answer(
            "list",
            result(
                json!({"tools": [{"name": "t", "inputSchema": {"type": "object", "properties": {"$fields": 100, "name": "k$i", "of": {"$ref": "#"}}}}]}),
            ),
        ),
    ]
}

fn prepare(input: &Value) -> Option<Case> {
    let body = match input.get("body")? {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    let how = input.get("how").and_then(Value::as_str).unwrap_or_default().to_owned();
    let secrets = input.get("secrets").and_then(Value::as_object).into_iter().flatten();
    let secrets: BTreeMap<String, String> =
        secrets.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).take(64).collect();
    if secrets.values().any(|value| value.len() > 256) {
        return None;
    }
    let webhook = json!({"name": "orders", "description": "Books", "url": "https://shop.example/"});
    let server = json!({"name": "mcp", "url": "https://mcp.example/", "description": "Helps", "transport_kind": "streamable_http"});
    let tools = if how == "webhook" { json!({"webhooks": [webhook]}) } else { json!({"mcp_servers": [server]}) };
    let agent = compiled(&graph(&json!("Help."), &json!("done"), &tools), None)?;
    let bytes = body.len();
    let work = move || {
        let mut play = Play::new(&agent, &Map::new(), &Map::new());
        match (how.as_str(), play.say("Hello")) {
            ("webhook", Asks::Model(effect)) => {
                let Asks::Tool(effect, ..) = play.call(effect, "orders_request", &json!({})) else { return };
                let Some(content) = readers::webhook_content(&body) else { return };
                play.answer(effect, ToolAnswer::Answered { status: 200, content, truncated: false }, &secrets);
            }
            ("list", Asks::Lists(effect)) => listed(&mut play, effect, readers::mcp_tools(&body).redacted(&secrets)),
            (_, Asks::Lists(effect)) => {
                let tool = json!([{"name": "help", "schema": {"type": "object"}}]);
                let tools = ToolAnswer::Answered { status: 200, content: tool, truncated: false };
                let Asks::Model(effect) = list(&mut play, effect, tools) else { return };
                let Asks::Tool(effect, ..) = play.call(effect, "help", &json!({})) else { return };
                play.answer(effect, readers::mcp_result(&body), &secrets);
            }
            _ => {}
        }
    };
    Some(Case { bytes, work: Box::new(work) })
}

fn listed(play: &mut Play<'_>, effect: String, tools: ToolAnswer) {
    if let Asks::Model(effect) = list(play, effect, tools) {
        play.call(effect, "t0", &json!({"a0": "aaaa"}));
    }
}

fn list(play: &mut Play<'_>, effect: String, answer: ToolAnswer) -> Asks {
    let lists = vec![ToolList { server: "mcp".into(), answer, drifted: Vec::new() }];
    prepare_tool_lists(&lists);
    play.feed(Input::ToolsListed { effect, lists })
}
