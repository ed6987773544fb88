//! Graphs that are read and written read back the same, unknown fields included.

use crate::{accept, small};
use domain::agent::{Graph, codes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

/// One node of each type, in the spellings clients use, with unknown fields everywhere.
fn rich() -> Value {
    json!({
        "nodes": [
            {"id": "s", "name": "__start__", "nodeable_id": "1"},
            {"name": "hook", "type": "WebhookNode", "description": "d", "config": {}, "tool_ids": ["t1"], "retry_config": {"max_retries": 1},
             "webhook": {"url": "https://x.test/#{id}", "method": "patch", "headers": "{\"X-A\":\"b\"}", "body": "not json", "mystery": [1, {"a": null}],
                         "mock_response": {"a": 1}, "mockResponseEnabled": true, "jmespath_query": "a", "nodeable_id": "7"}},
            {"name": "sub", "type": "SubagentNode", "subagent": {
                "webhooks": [{"name": "t", "url": "https://x.test", "body_schema": {"type": "object", "properties": {"n": {"type": "integer"}}}, "x": 1}],
                "knowledge_bases": [{"name": "faq", "knowledge_base_text": "text", "y": 2}, {"name": "b", "key": "other", "knowledge_base_text": "t"}],
                "mcp_servers": [{"name": "m", "url": "https://x.test", "transport_kind": "sse", "headers": {"A": "{{secrets.x}}"},
                                 "jmespath_queries": [{"tool_name": "q", "jmespath_query": "a", "w": 0}], "z": 3}],
                "whatsapp_templates": [{"name": "w", "template_name": "w", "template_parameters": "{\"1\": \"#{n}\"}", "v": 4}],
                "u": 5}},
            {"name": "kb", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": "text", "knowledge_base_file": "faq.md", "nodeable_id": "8"}},
            {"name": "tpl", "type": "WhatsAppTemplateNode", "whatsappTemplate": {"name": "t", "wait_for_response": true, "whatsapp_node_id": "9"}},
            {"name": "people", "type": "HandoffNode", "handoff": {"nodeable_id": "10"}, "global": true, "global_condition": "angry"},
            {"name": "bye", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 9, "nodeable_id": "11"}, "webhook": null, "llm_config": {"t": 1}},
            {"id": "canvas", "type": "box", "data": {"displayName": "drawn", "config": {"kept": true}, "colour": "red"}, "selected": false},
            {"name": "__end__", "max_steps": 4},
        ],
        "edges": [{"source": "s", "to": "hook", "sourceHandle": null}, {"from": "hook", "to": "sub", "condition": "c", "conditions": {}}],
        "tools": [{"id": "t1", "name": "old"}],
        "metadata": {"author": "Ann"},
        "viewport": {"zoom": 1.5},
    })
}

#[test]
fn a_graph_of_every_type_reads_back_as_it_was_written() {
    let mut input = rich();
    input["nodes"][7]["data"]["node_type"] = json!("DefaultNode");
    let graph = accept(&input).graph;
    let written = graph.to_json();
    assert_eq!(accept(&written).graph, graph);
    assert_eq!(accept(&written).graph.to_json(), written);
    assert_eq!(Graph::from_canonical(&written).unwrap(), graph);
}

#[test]
fn unknown_fields_stay_where_they_were() {
    let mut input = rich();
    input["nodes"][7]["data"]["node_type"] = json!("DefaultNode");
    let written = accept(&input).graph.to_json();
    for pointer in [
        "/viewport",
        "/tools",
        "/metadata",
        "/nodes/0/nodeable_id",
        "/nodes/1/config",
        "/nodes/1/tool_ids",
        "/nodes/1/webhook/mystery",
        "/nodes/1/webhook/nodeable_id",
        "/nodes/2/subagent/webhooks/0/x",
        "/nodes/2/subagent/knowledge_bases/0/y",
        "/nodes/2/subagent/mcp_servers/0/z",
        "/nodes/2/subagent/mcp_servers/0/jmespath_queries/0/w",
        "/nodes/2/subagent/whatsapp_templates/0/v",
        "/nodes/2/subagent/u",
        "/nodes/3/knowledge_base/nodeable_id",
        "/nodes/3/knowledge_base/knowledge_base_file",
        "/nodes/5/handoff",
        "/nodes/6/warm_end",
        "/nodes/6/webhook",
        "/nodes/7/selected",
        "/nodes/7/data/config",
        "/nodes/7/data/colour",
        "/edges/0/sourceHandle",
        "/edges/1/conditions",
    ] {
        assert!(written.pointer(pointer).is_some(), "{pointer} is gone");
        assert_eq!(written.pointer(pointer), input.pointer(pointer), "{pointer}");
    }
    assert_eq!(written["nodes"][4]["whatsapp_template"]["whatsapp_node_id"], "9");
    let keys: Vec<&String> = written["nodes"][1].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["id", "name", "type", "prompt", "description", "global", "retry_config", "webhook", "config", "tool_ids"]
    );
}

#[test]
fn a_stored_graph_stays_usable_when_rules_become_stricter_but_not_when_it_is_no_graph() {
    let mut stored = accept(&small()).graph.to_json();
    stored["nodes"][1]["name"] = json!("not a word");
    assert!(Graph::read(&stored).is_err());
    assert_eq!(Graph::from_canonical(&stored).unwrap().nodes[1].name, "not a word");
    assert_eq!(Graph::from_canonical(&json!([])).unwrap_err()[0].code, codes::WRONG_TYPE);
    stored["nodes"][1]["type"] = json!("RobotNode");
    assert_eq!(Graph::from_canonical(&stored).unwrap_err()[0].code, codes::UNKNOWN_TYPE);
}

#[test]
fn most_generated_graphs_are_accepted() {
    let mut runner = prop::test_runner::TestRunner::deterministic();
    let mut draw = || strewn().new_tree(&mut runner).unwrap().current();
    let accepted = (0..200).filter(|_| Graph::read(&draw()).is_ok()).count();
    assert!(accepted > 60, "{accepted} of 200");
}

/// Any JSON, a few levels deep.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("{\"a\":\"b\"}")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Known keys, in either case, and unknown ones.
fn key() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "data",
        "config",
        "webhook",
        "type",
        "name",
        "nodeType",
        "globalCondition",
        "global",
        "handoff",
        "url",
        "method",
        "headersRaw",
        "body",
        "mock_response",
        "condition",
        "source",
        "tools",
        "metadata",
        "description",
        "subagent",
        "position",
        "prompt",
        "display_name",
    ];
    prop_oneof![prop::sample::select(KNOWN).prop_map(str::to_owned), "[a-zA-Z_/~]{1,5}"]
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((key(), anything()), 0..4).prop_map(|fields| fields.into_iter().collect())
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &["DefaultNode", "WebhookNode", "HandoffNode", "SubagentNode", "WarmEndNode", "KnowledgeBaseNode"][..],
    )
}

/// The small graph with known and unknown fields added at random places; rules may reject it.
fn strewn() -> impl Strategy<Value = Value> {
    (fields(), fields(), fields(), fields(), kind(), any::<bool>()).prop_map(
        |(graph, node, config, edge, kind, canvas)| {
            let mut input = small();
            input
                .as_object_mut()
                .unwrap()
                .extend(graph.into_iter().filter(|(key, _)| key != "nodes" && key != "edges"));
            let mut config = config;
            config.insert("url".into(), json!("https://x.test"));
            config.insert("knowledge_base_text".into(), json!("text"));
            let a = input["nodes"][1].as_object_mut().unwrap();
            a.extend(
                node.into_iter().filter(|(key, _)| {
                    !matches!(key.as_str(), "name" | "global" | "prompt" | "description" | "position")
                }),
            );
            a.remove("type");
            let type_key = match kind {
                "WebhookNode" => "webhook",
                "HandoffNode" => "handoff",
                "SubagentNode" => "subagent",
                "WarmEndNode" => "warm_end",
                "KnowledgeBaseNode" => "knowledge_base",
                _ => "other",
            };
            if canvas {
                a.insert("data".into(), json!({"node_type": kind, "config": config, "left": 1}));
            } else {
                a.insert("type".into(), json!(kind));
                a.insert(type_key.into(), config.into());
            }
            input["edges"][1].as_object_mut().unwrap().extend(edge);
            input
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepted_graphs_read_back_the_same(input in strewn()) {
        if let Ok(checked) = Graph::read(&input) {
            let written = checked.graph.to_json();
            let again = Graph::read(&written);
            prop_assert!(again.is_ok(), "{written:#} {again:?}");
            prop_assert_eq!(&again.unwrap().graph, &checked.graph);
            prop_assert_eq!(Graph::from_canonical(&written).unwrap(), checked.graph);
        }
    }

    #[test]
    fn nothing_makes_reading_panic(graph in anything(), node in anything(), edge in anything()) {
        let _ = Graph::read(&graph);
        let _ = Graph::read(&json!({"nodes": [node], "edges": [edge]}));
        let _ = Graph::from_canonical(&json!({"nodes": [node], "edges": [edge]}));
    }
}
