//! Each error of docs/spec/engine.md 1.6 with a graph that has just this one.

use crate::{faults, small, with_node, with_tools, with_webhook};
use domain::agent::{Graph, codes};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The small graph with one value replaced.
fn set(pointer: &str, value: Value) -> Value {
    let mut graph = small();
    *graph.pointer_mut(pointer).unwrap() = value;
    graph
}

/// The small graph with a node and edges added.
fn grown(node: Value, edges: Value) -> Value {
    let mut graph = small();
    graph["nodes"].as_array_mut().unwrap().push(node);
    graph["edges"].as_array_mut().unwrap().extend(edges.as_array().unwrap().clone());
    graph
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn hook(fields: Value) -> Value {
    let mut webhook = json!({"url": "https://example.test/x"});
    webhook.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    with_webhook(webhook)
}

fn mcp(fields: Value) -> Value {
    let mut server = json!({"name": "shop", "url": "https://example.test/mcp"});
    server.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    with_tools(json!({"mcp_servers": [server]}))
}

fn tool(name: &str) -> Value {
    json!({"name": name, "url": "https://example.test/"})
}

/// A graph, and the place and code of its only problem.
fn table() -> Vec<(Value, &'static str, &'static str)> {
    let headers: serde_json::Map<String, Value> = (0..33).map(|n| (format!("X-{n}"), json!("1"))).collect();
    let many_nodes: Vec<Value> = (0..298).map(|n| json!({"name": format!("n{n}")})).collect();
    let mut many = small();
    many["nodes"].as_array_mut().unwrap().extend(many_nodes.clone());
    let mut crowded = small();
    crowded["nodes"].as_array_mut().unwrap().extend(many_nodes[..47].to_vec());
    for from in 0..47 {
        for to in (0..47).filter(|to| *to != from) {
            crowded["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{from}"), "to": format!("n{to}")}));
        }
    }
    let tools: Vec<Value> = (0..201).map(|n| tool(&format!("t{n}"))).collect();
    let base = |fields: Value| with_node(json!({"name": "a", "type": "KnowledgeBaseNode", "knowledge_base": fields}));
    let edge = |from: &str, to: &str| json!({"from": from, "to": to, "label": "x"});
    let global = json!({"name": "g", "global": true, "global_condition": "help"});
    let mut large = small();
    large["metadata"] = json!({"note": "x".repeat(10 * 1024 * 1024)});

    vec![
        (json!([]), "", codes::WRONG_TYPE),
        (json!({"nodes": {}}), "/nodes", codes::WRONG_TYPE),
        (set("/nodes/1/prompt", json!(5)), "/nodes/1/prompt", codes::WRONG_TYPE),
        (set("/nodes/1/name", json!(5)), "/nodes/1/name", codes::WRONG_TYPE),
        (hook(json!({"headers": {"X-A": 7}})), "/nodes/1/webhook/headers/X-A", codes::WRONG_TYPE),
        (hook(json!({"headers": "[1]"})), "/nodes/1/webhook/headers", codes::WRONG_TYPE),
        (hook(json!({"mock_response_enabled": "true"})), "/nodes/1/webhook/mock_response_enabled", codes::WRONG_TYPE),
        (with_node(json!({"name": "a", "position": 3})), "/nodes/1/position", codes::WRONG_TYPE),
        (with_node(json!({"name": "a", "llm_config": "x"})), "/nodes/1/llm_config", codes::WRONG_TYPE),
        (with_tools(json!({"webhooks": {}})), "/nodes/1/subagent/webhooks", codes::WRONG_TYPE),
        (set("/edges/1/label", json!(1)), "/edges/1/label", codes::WRONG_TYPE),
        (with_node(json!({"name": "a", "type": "WebhookNode"})), "/nodes/1/webhook", codes::MISSING_FIELD),
        (with_node(json!({"name": "a", "type": "KnowledgeBaseNode"})), "/nodes/1/knowledge_base", codes::MISSING_FIELD),
        (
            with_node(json!({"name": "a", "type": "WhatsappTemplateNode"})),
            "/nodes/1/whatsapp_template",
            codes::MISSING_FIELD,
        ),
        (with_node(json!({"name": "a", "type": "WarmEndNode"})), "/nodes/1/warm_end", codes::MISSING_FIELD),
        (with_webhook(json!({})), "/nodes/1/webhook/url", codes::MISSING_FIELD),
        (base(json!({"key": "k"})), "/nodes/1/knowledge_base/knowledge_base_text", codes::MISSING_FIELD),
        (
            with_tools(json!({"whatsapp_templates": [{"name": "t"}]})),
            "/nodes/1/subagent/whatsapp_templates/0/template_name",
            codes::MISSING_FIELD,
        ),
        (
            with_tools(json!({"webhooks": [{"url": "https://x.test"}]})),
            "/nodes/1/subagent/webhooks/0/name",
            codes::MISSING_FIELD,
        ),
        (
            with_tools(json!({"knowledge_bases": [{}]})),
            "/nodes/1/subagent/knowledge_bases/0/name",
            codes::MISSING_FIELD,
        ),
        (mcp(json!({"url": null})), "/nodes/1/subagent/mcp_servers/0/url", codes::MISSING_FIELD),
        (hook(json!({"headers": "{oops"})), "/nodes/1/webhook/headers", codes::BAD_JSON),
        (hook(json!({"headers_raw": "{oops"})), "/nodes/1/webhook/headers_raw", codes::BAD_JSON),
        (hook(json!({"body_schema": "oops"})), "/nodes/1/webhook/body_schema", codes::BAD_JSON),
        (
            with_tools(
                json!({"whatsapp_templates": [{"name": "t", "template_name": "t", "template_parameters": "{"}]}),
            ),
            "/nodes/1/subagent/whatsapp_templates/0/template_parameters",
            codes::BAD_JSON,
        ),
        (nested(65), "", codes::TOO_DEEP),
        (hook(json!({"body": nested(65).to_string()})), "/nodes/1/webhook/body", codes::TOO_DEEP),
        (with_node(json!({"name": "a", "max_steps": 0})), "/nodes/1/max_steps", codes::OUT_OF_RANGE),
        (
            with_node(json!({"name": "a", "type": "WarmEndNode", "warm_end": {"timeoutMinutes": 1441}})),
            "/nodes/1/warm_end/timeoutMinutes",
            codes::OUT_OF_RANGE,
        ),
        (json!({}), "/nodes", codes::NO_NODES),
        (json!({"nodes": []}), "/nodes", codes::NO_NODES),
        (grown(json!({"id": "", "name": "b"}), json!([])), "/nodes/3/id", codes::MISSING_ID),
        (grown(json!({"id": "a", "name": "b"}), json!([])), "/nodes/3/id", codes::DUPLICATE_ID),
        (grown(json!({"prompt": "x"}), json!([])), "/nodes/3/name", codes::MISSING_NAME),
        (grown(json!({"name": "not a word"}), json!([])), "/nodes/3/name", codes::BAD_NAME),
        (grown(json!({"name": "x".repeat(65)}), json!([])), "/nodes/3/name", codes::BAD_NAME),
        (grown(json!({"name": "END"}), json!([])), "/nodes/3/name", codes::RESERVED_NAME),
        (grown(json!({"name": "end"}), json!([])), "/nodes/3/name", codes::RESERVED_NAME),
        (grown(json!({"name": "START"}), json!([])), "/nodes/3/name", codes::RESERVED_NAME),
        (grown(json!({"name": "use_g__at__a"}), json!([])), "/nodes/3/name", codes::RESERVED_NAME),
        (grown(json!({"id": "n9", "name": "a"}), json!([])), "/nodes/3/name", codes::DUPLICATE_NAME),
        (grown(json!({"name": "a"}), json!([])), "/nodes/3/name", codes::DUPLICATE_NAME),
        (grown(json!({"name": "A"}), json!([])), "/nodes/3/name", codes::SIMILAR_NAME),
        (
            json!({"nodes": [{"name": "a"}, {"name": "__end__"}], "edges": [{"from": "a", "to": "__end__"}]}),
            "/nodes",
            codes::MISSING_START,
        ),
        (
            json!({"nodes": [{"name": "__start__"}, {"name": "a"}], "edges": [{"from": "__start__", "to": "a"}]}),
            "/nodes",
            codes::MISSING_END,
        ),
        (grown(json!({"id": "s2", "name": "__start__"}), json!([])), "/nodes/3/name", codes::DUPLICATE_START),
        (grown(json!({"id": "e2", "name": "__end__"}), json!([])), "/nodes/3/name", codes::DUPLICATE_END),
        (set("/edges", json!([])), "/nodes/0", codes::START_EDGE_COUNT),
        (grown(json!({"name": "b"}), json!([{"from": "__start__", "to": "b"}])), "/nodes/0", codes::START_EDGE_COUNT),
        (set("/edges/0", edge("__start__", "a")), "/edges/0/label", codes::START_EDGE_LABELLED),
        (
            set("/edges/0", json!({"source": "START", "target": "a", "condition": "x"})),
            "/edges/0/condition",
            codes::START_EDGE_LABELLED,
        ),
        (grown(json!({"name": "b"}), json!([edge("b", "__start__")])), "/edges/2/to", codes::EDGE_INTO_START),
        (
            json!({"nodes": [{"name": "__start__"}, global, {"name": "__end__"}], "edges": [{"from": "__start__", "to": "g"}]}),
            "/edges/0/to",
            codes::START_TO_GLOBAL,
        ),
        (set("/edges/0/to", json!("__end__")), "/edges/0/to", codes::START_TO_END),
        (grown(json!({"name": "b"}), json!([edge("__end__", "b")])), "/edges/2/from", codes::EDGE_FROM_END),
        (grown(json!({"name": "b"}), json!([edge("b", "zzz")])), "/edges/2/to", codes::UNKNOWN_NODE),
        (
            grown(json!({"name": "b"}), json!([{"source": "zzz", "target": "b"}])),
            "/edges/2/source",
            codes::UNKNOWN_NODE,
        ),
        (grown(json!({"name": "b"}), json!([edge("a", "__end__")])), "/edges/2", codes::DUPLICATE_EDGE),
        (grown(json!({"name": "b"}), json!([edge("b", "b")])), "/edges/2/to", codes::SELF_LOOP),
        (with_node(json!({"name": "a", "type": "RobotNode"})), "/nodes/1/type", codes::UNKNOWN_TYPE),
        (
            with_node(json!({"name": "a", "data": {"node_type": "RobotNode"}})),
            "/nodes/1/data/node_type",
            codes::UNKNOWN_TYPE,
        ),
        (hook(json!({"method": "FETCH"})), "/nodes/1/webhook/method", codes::BAD_HTTP_METHOD),
        (with_webhook(json!({"url": "ftp://x.test"})), "/nodes/1/webhook/url", codes::BAD_URL),
        (with_webhook(json!({"url": "#{url}"})), "/nodes/1/webhook/url", codes::BAD_URL),
        (with_webhook(json!({"url": "/relative"})), "/nodes/1/webhook/url", codes::BAD_URL),
        (mcp(json!({"url": "stdio:x"})), "/nodes/1/subagent/mcp_servers/0/url", codes::BAD_URL),
        (hook(json!({"jmespath_query": "zz["})), "/nodes/1/webhook/jmespath_query", codes::BAD_JMESPATH),
        (hook(json!({"jmespath_query": "a".repeat(1025)})), "/nodes/1/webhook/jmespath_query", codes::BAD_JMESPATH),
        (
            mcp(json!({"jmespath_queries": [{"tool_name": "t", "jmespath_query": "]"}]})),
            "/nodes/1/subagent/mcp_servers/0/jmespath_queries/0/jmespath_query",
            codes::BAD_JMESPATH,
        ),
        (hook(json!({"body_schema": {"type": "array"}})), "/nodes/1/webhook/body_schema", codes::BAD_BODY_SCHEMA),
        (
            hook(json!({"body_schema": "{\"type\": \"string\"}"})),
            "/nodes/1/webhook/body_schema",
            codes::BAD_BODY_SCHEMA,
        ),
        (
            hook(json!({"body_schema": {"type": "object", "properties": {"a": {"type": "nonsense"}}}})),
            "/nodes/1/webhook/body_schema",
            codes::BAD_BODY_SCHEMA,
        ),
        (
            hook(
                json!({"body_schema": {"type": "object", "properties": {"a": {"$ref": "https://example.test/s.json"}}}}),
            ),
            "/nodes/1/webhook/body_schema",
            codes::BAD_BODY_SCHEMA,
        ),
        (
            mcp(json!({"transport_kind": "stdio"})),
            "/nodes/1/subagent/mcp_servers/0/transport_kind",
            codes::BAD_TRANSPORT,
        ),
        (mcp(json!({"command": "npx"})), "/nodes/1/subagent/mcp_servers/0/command", codes::BAD_TRANSPORT),
        (
            with_tools(json!({"webhooks": [tool("get-stock")]})),
            "/nodes/1/subagent/webhooks/0/name",
            codes::BAD_TOOL_NAME,
        ),
        (
            with_tools(json!({"webhooks": [tool(&"x".repeat(57))]})),
            "/nodes/1/subagent/webhooks/0/name",
            codes::BAD_TOOL_NAME,
        ),
        (
            with_tools(
                json!({"webhooks": [tool("stock")], "knowledge_bases": [{"name": "Stock", "knowledge_base_text": "x"}]}),
            ),
            "/nodes/1/subagent/knowledge_bases/0/name",
            codes::DUPLICATE_TOOL_NAME,
        ),
        (
            with_tools(json!({"webhooks": [tool("webhook")]})),
            "/nodes/1/subagent/webhooks/0/name",
            codes::RESERVED_TOOL_NAME,
        ),
        (mcp(json!({"name": "kb_retrieval"})), "/nodes/1/subagent/mcp_servers/0/name", codes::RESERVED_TOOL_NAME),
        (
            grown(json!({"name": "webhook", "type": "WebhookNode", "webhook": {"url": "https://x.test"}}), json!([])),
            "/nodes/3/name",
            codes::RESERVED_TOOL_NAME,
        ),
        (
            base(json!({"knowledge_base_file": "faq.md"})),
            "/nodes/1/knowledge_base/knowledge_base_file",
            codes::FILE_NOT_INLINED,
        ),
        (
            with_tools(json!({"knowledge_bases": [
                {"name": "faq", "knowledge_base_text": "x"}, {"name": "more", "key": " FAQ", "knowledge_base_text": "y"}]})),
            "/nodes/1/subagent/knowledge_bases/1/key",
            codes::DUPLICATE_KEY,
        ),
        (
            base(json!({"knowledge_base_file": "faq.md", "knowledge_base_text": " "})),
            "/nodes/1/knowledge_base/knowledge_base_file",
            codes::FILE_NOT_INLINED,
        ),
        (
            with_tools(json!({"knowledge_bases": [{"name": "k", "knowledgeBaseFile": "faq.md"}]})),
            "/nodes/1/subagent/knowledge_bases/0/knowledgeBaseFile",
            codes::FILE_NOT_INLINED,
        ),
        (hook(json!({"headers": {"X A": "1"}})), "/nodes/1/webhook/headers/X A", codes::BAD_HEADER),
        (hook(json!({"headers": {"X/A": "1"}})), "/nodes/1/webhook/headers/X~1A", codes::BAD_HEADER),
        (hook(json!({"headers": {"X-A": "1\r\nX-B: 2"}})), "/nodes/1/webhook/headers/X-A", codes::BAD_HEADER),
        (
            hook(json!({"headers": {"Transfer-Encoding": "chunked"}})),
            "/nodes/1/webhook/headers/Transfer-Encoding",
            codes::FORBIDDEN_HEADER,
        ),
        (
            mcp(json!({"headers": {"host": "x"}})),
            "/nodes/1/subagent/mcp_servers/0/headers/host",
            codes::FORBIDDEN_HEADER,
        ),
        (hook(json!({"headers": headers})), "/nodes/1/webhook/headers", codes::TOO_MANY_HEADERS),
        (hook(json!({"headers": {"X-A": "x".repeat(4096)}})), "/nodes/1/webhook/headers", codes::HEADERS_TOO_LARGE),
        (with_node(json!({"name": "a", "global": true})), "/nodes/1/global_condition", codes::MISSING_GLOBAL_CONDITION),
        (
            with_node(json!({"name": "a", "globalCondition": "x"})),
            "/nodes/1/globalCondition",
            codes::CONDITION_WITHOUT_GLOBAL,
        ),
        (
            set("/nodes/2", json!({"name": "__end__", "global": true, "global_condition": "x"})),
            "/nodes/2/global",
            codes::TERMINAL_GLOBAL,
        ),
        (many, "/nodes", codes::TOO_MANY_NODES),
        (crowded, "/edges", codes::TOO_MANY_EDGES),
        (with_tools(json!({"webhooks": tools})), "", codes::TOO_MANY_TOOLS),
        (set("/nodes/1/prompt", json!("x".repeat(64 * 1024 + 1))), "/nodes/1/prompt", codes::PROMPT_TOO_LONG),
        (set("/edges/1/label", json!("é".repeat(2001))), "/edges/1/label", codes::LABEL_TOO_LONG),
        (
            grown(json!({"name": "g", "global": true, "global_condition": "é".repeat(2001)}), json!([])),
            "/nodes/3/global_condition",
            codes::CONDITION_TOO_LONG,
        ),
        (
            base(json!({"knowledge_base_text": "x".repeat(5 * 1024 * 1024 + 1)})),
            "/nodes/1/knowledge_base/knowledge_base_text",
            codes::KNOWLEDGE_TOO_LONG,
        ),
        (large, "", codes::GRAPH_TOO_LARGE),
    ]
}

#[test]
fn every_broken_rule_is_reported_at_its_place_and_nothing_else_is() {
    for (graph, path, code) in table() {
        let extra: &[&str] = match code {
            // Edges cannot refer to a node without a name.
            codes::WRONG_TYPE if path == "/nodes/1/name" => &[codes::UNKNOWN_NODE, codes::UNKNOWN_NODE],
            _ => &[],
        };
        let found = faults(&graph);
        assert_eq!(
            found.iter().filter(|(at, word)| at == path && *word == code).count(),
            1,
            "{path} {code}: {found:?}"
        );
        assert_eq!(found.len(), 1 + extra.len(), "{path} {code}: {found:?}");
    }
}

#[test]
fn every_error_code_has_a_graph_that_shows_it() {
    let shown: BTreeSet<&str> = table().into_iter().map(|(_, _, code)| code).collect();
    let errors: BTreeSet<&str> = codes::ALL.iter().filter(|code| !code.warning).map(|code| code.code).collect();
    assert_eq!(shown, errors);
}

#[test]
fn six_faults_are_all_named_at_once() {
    let graph = json!({
        "nodes": [
            {"name": "__start__"},
            {"name": "stock", "type": "WebhookNode", "webhook": {"url": "ftp://x", "http_method": "GRAB", "jmespath_query": "zz["}},
            {"name": "help", "global": true},
            {"name": "__end__"},
        ],
        "edges": [{"from": "__start__", "to": "stock"}, {"from": "stock", "to": "__edn__"}, {"from": "__end__", "to": "help"}],
    });
    let mut found = faults(&graph);
    found.sort();
    let mut expected = [
        ("/nodes/1/webhook/http_method", codes::BAD_HTTP_METHOD),
        ("/nodes/1/webhook/jmespath_query", codes::BAD_JMESPATH),
        ("/nodes/1/webhook/url", codes::BAD_URL),
        ("/nodes/2/global_condition", codes::MISSING_GLOBAL_CONDITION),
        ("/edges/1/to", codes::UNKNOWN_NODE),
        ("/edges/2/from", codes::EDGE_FROM_END),
    ]
    .map(|(path, code)| (path.to_owned(), code));
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_limits_themselves_are_allowed() {
    for graph in [
        set("/nodes/1/prompt", json!("x".repeat(64 * 1024))),
        set("/edges/1/label", json!("é".repeat(2000))),
        hook(json!({"headers": {"X-A": "x".repeat(4093)}})),
        with_tools(json!({"webhooks": [tool(&"x".repeat(56))]})),
        with_node(json!({"name": "a", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 1440}})),
    ] {
        assert_eq!(faults(&graph), []);
    }
}

#[test]
fn nearest_word_is_suggested() {
    let said = |graph: Value| Graph::read(&graph).unwrap_err()[0].message.clone();
    let mut graph = grown(json!({"name": "refund"}), json!([{"from": "a", "to": "refnd"}]));
    assert_eq!(said(graph.clone()), "no node 'refnd'; did you mean 'refund'?");
    graph["edges"][2]["to"] = json!("billing");
    assert_eq!(said(graph), "no node 'billing'");
    assert_eq!(
        said(with_node(json!({"name": "a", "type": "webhooknode"}))),
        "no node type 'webhooknode'; did you mean 'WebhookNode'?"
    );
    assert_eq!(said(hook(json!({"http_method": "PSOT"}))), "no HTTP method 'PSOT'; did you mean 'POST'?");
}

#[test]
fn expressions_and_schemas_of_hostile_size_are_refused_without_harm() {
    for query in [
        "(".repeat(1024),
        "!".repeat(1024),
        "[".repeat(1024),
        "a.".repeat(512),
        "&".repeat(1024),
        "{a:".repeat(300),
        "a[].".repeat(256),
    ] {
        assert_eq!(faults(&hook(json!({"jmespath_query": query}))).len(), 1);
    }
    let deep =
        (0..30).fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}));
    assert_eq!(faults(&hook(json!({"body_schema": deep.to_string()}))), []);
    let pattern = json!({"type": "object", "properties": {"a": {"pattern": "((a{1000}){1000}){1000}"}}});
    assert_eq!(faults(&hook(json!({"body_schema": pattern}))).len(), 1);
    let message = &Graph::read(&with_node(json!({"name": "x y".repeat(10_000)}))).unwrap_err()[0].message;
    assert!(message.len() < 300);
}
