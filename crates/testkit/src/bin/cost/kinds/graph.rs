//! A graph as a client sends it: read, checked, stored and compiled, and its first turn.

use super::play::{Play, compiled};
use crate::measure::{Bound, Case, Kind, MIB};
use domain::{json, limits::GRAPH_VALUES};
use serde_json::{Map, Value, json};

pub static KIND: Kind = Kind {
    name: "graph",
    bound: Bound { work: (200, 192 * MIB), peak: (60, 64 * MIB) },
    most: 2 << 20,
    seeds,
    words: &[
        "__start__",
        "__end__",
        "n0",
        "n1",
        "name",
        "type",
        "nodes",
        "edges",
        "from",
        "to",
        "label",
        "prompt",
        "global",
        "global_condition",
        "subagent",
        "webhooks",
        "webhook",
        "mcp_servers",
        "knowledge_bases",
        "knowledge_base_text",
        "whatsapp_templates",
        "headers",
        "headers_raw",
        "body",
        "body_raw",
        "body_schema",
        "mock_response",
        "mock_response_raw",
        "mock_response_enabled",
        "jmespath_query",
        "metadata",
        "tools",
        "id",
        "llm_config",
        "DefaultNode",
        "SubagentNode",
        "WebhookNode",
        "HandoffNode",
        "WarmEndNode",
        "KnowledgeBaseNode",
        "url",
        "https://shop.example/",
        "{{vars.v}}",
        "#{a$i}",
        "[@,@]|@",
        "[[],[]]",
        "{\"a\":[]}",
        "[",
        "]",
        "data",
        "config",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let ends = [json!({"name": "__start__"}), json!({"name": "__end__"})];
    let graph = |nodes: Vec<Value>, edges: Value| {
        let nodes: Vec<Value> = ends.iter().cloned().chain(nodes).collect();
        json!({"nodes": nodes, "edges": edges})
    };
    let line = json!([{"from": "__start__", "to": "n0"}, {"from": "n0", "to": "__end__", "label": "done"}]);
    let one = |settings: Value| {
        let mut node = json!({"name": "n0", "type": "SubagentNode", "prompt": "Help."});
        node["subagent"] = settings;
        graph(vec![node], line.clone())
    };
    let webhook = |fields: Value| {
        let mut webhook =
            json!({"name": "w", "description": "Books", "url": "https://shop.example/", "http_method": "POST"});
        for (name, value) in fields.as_object().into_iter().flatten() {
            webhook[name] = value.clone();
        }
        one(json!({"webhooks": [webhook]}))
    };
    let lists = json!({"$text": ["[", {"$times": 300_000, "of": "[],"}, "[]]"]});
    vec![
        graph(
            vec![json!({"$times": 40, "of": {"name": "n$i", "prompt": "Help."}})],
            json!([{"from": "__start__", "to": "n0"}, {"$times": 40, "of": {"from": "n0", "to": "n$i", "label": "x"}}, {"$times": 40, "of": {"from": "n$i", "to": "__end__"}}]),
        ),
        graph(
            vec![
                json!({"$times": 100, "of": {"name": "n$i", "prompt": "Help."}}),
                json!({"$times": 100, "of": {"name": "g$i", "prompt": "Help.", "global": true, "global_condition": {"$text": [{"$times": 390, "of": "word "}]}}}),
            ],
            json!([{"from": "__start__", "to": "n0"}, {"$times": 100, "of": {"from": "n$i", "to": "__end__"}}]),
        ),
        webhook(json!({"mock_response": lists, "mock_response_enabled": true})),
        webhook(json!({"body": lists})),
        webhook(
            json!({"body_schema": {"$json": {"type": "object", "properties": {"$fields": 50, "name": "k$i", "of": {"type": "string"}}}}}),
        ),
        webhook(
            json!({"body": [{"$times": 100, "of": "#{a$i}"}], "headers": {"$fields": 10, "name": "X-$i", "of": "#{b$i}"}}),
        ),
        one(
            json!({"webhooks": [{"$times": 20, "of": {"name": "w$i", "description": "Books", "url": "https://shop.example/#{a}"}}]}),
        ),
        one(
            json!({"knowledge_bases": [{"key": "kb", "name": "kb", "description": "Facts", "text": {"$text": [{"$times": 200, "of": "word$i is. "}]}}]}),
        ),
        one(
            json!({"mcp_servers": [{"name": "m", "url": "https://mcp.example/", "description": "Helps", "transport_kind": "streamable_http",
            "jmespath_queries": [{"$times": 20, "of": {"tool_name": "t$i", "jmespath_query": "[@,@]"}}]}]}),
        ),
        json!({"nodes": [{"$times": 50, "of": {"nam": "x", "type": "Subagent$i"}}], "edges": [{"$times": 50, "of": {"from": "y$i", "to": "z$i"}}]}),
        json!({"nodes": [{"$times": 300, "of": []}], "edges": [{"$times": 300, "of": {}}]}),
        json!({"nodes": [], "edges": [], "metadata": {"$fields": 300, "name": "k$i", "of": [[]]}}),
    ]
}

fn prepare(input: &Value) -> Option<Case> {
    let text = input.to_string().into_bytes();
    if json::values_in(&text) > GRAPH_VALUES {
        return None;
    }
    let bytes = text.len();
    let work = move || {
        let Ok(graph) = json::parse(&text, GRAPH_VALUES) else { return };
        let Some(agent) = compiled(&graph, None) else { return };
        Play::new(&agent, &Map::new(), &Map::new()).say("Hello");
    };
    Some(Case { bytes, work: Box::new(work) })
}
