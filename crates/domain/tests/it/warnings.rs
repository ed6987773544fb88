//! Warnings: graphs that are allowed but probably wrong.

use crate::{accept, small, with_node, with_tools, with_webhook};
use domain::agent::codes;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn warnings(graph: &Value) -> Vec<(String, &'static str)> {
    accept(graph).warnings.into_iter().map(|problem| (problem.path, problem.code)).collect()
}

fn graph(nodes: Value, edges: Value) -> Value {
    let mut graph = small();
    graph["nodes"].as_array_mut().unwrap().extend(nodes.as_array().unwrap().clone());
    graph["edges"].as_array_mut().unwrap().extend(edges.as_array().unwrap().clone());
    graph
}

fn table() -> Vec<(Value, &'static str, &'static str)> {
    let mut endless = small();
    endless["nodes"].as_array_mut().unwrap().push(json!({"name": "b"}));
    endless["edges"] = json!([{"from": "__start__", "to": "a"}, {"from": "a", "to": "b"}, {"from": "b", "to": "a"}]);
    let union = json!({"url": "https://x.test", "http_method": "POST", "body_schema": {"type": "object", "anyOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"b": {"type": "string"}}}]}});
    let long = json!({"url": "https://x.test", "description": "x".repeat(1_025)});
    vec![
        (graph(json!([{"name": "b"}]), json!([{"from": "b", "to": "a"}])), "/nodes/3", codes::UNREACHABLE_NODE),
        (endless, "/nodes/2", codes::END_UNREACHABLE),
        (graph(json!([{"name": "b"}]), json!([{"from": "a", "to": "b", "label": "x"}])), "/nodes/3", codes::DEAD_END),
        (
            graph(json!([{"name": "h", "type": "HandoffNode"}]), json!([{"source": "a", "target": "h"}])),
            "/edges/2/label",
            codes::UNLABELLED_EDGE,
        ),
        (
            with_node(
                json!({"name": "a", "type": "WhatsAppTemplateNode", "whatsapp_template": {"template_name": "t"}}),
            ),
            "/nodes/1/whatsapp_template",
            codes::TEMPLATE_WITHOUT_IDS,
        ),
        (with_webhook(json!({"url": "https://x.test/{{order}}"})), "/nodes/1/webhook", codes::UNKNOWN_VARIABLE),
        (with_node(json!({"name": "a", "prompt": "Key {{secrets.k}}."})), "/nodes/1/prompt", codes::SECRET_IN_PROMPT),
        (with_node(json!({"name": "a", "prompt": "Order #{order}."})), "/nodes/1/prompt", codes::ARGUMENT_IN_PROMPT),
        (with_webhook(json!({"url": "https://#{shop}.test/"})), "/nodes/1/webhook/url", codes::HOST_FROM_MODEL),
        (with_webhook(union), "/nodes/1", codes::SCHEMA_REWRITTEN),
        (with_webhook(long), "/nodes/1", codes::DESCRIPTION_CUT),
        (
            with_tools(json!({"knowledge_bases": [{"name": "faq"}]})),
            "/nodes/1/subagent/knowledge_bases/0/knowledge_base_text",
            codes::EMPTY_KNOWLEDGE,
        ),
    ]
}

#[test]
fn every_warning_is_given_at_its_place_and_nothing_else_is() {
    for (graph, path, code) in table() {
        assert_eq!(warnings(&graph), [(path.to_owned(), code)]);
    }
    let shown: BTreeSet<&str> = table().into_iter().map(|(_, _, code)| code).collect();
    let known: BTreeSet<&str> = codes::ALL.iter().filter(|code| code.warning).map(|code| code.code).collect();
    assert_eq!(shown, known);
}

#[test]
fn ordinary_graphs_give_no_warning() {
    let global = json!([{"name": "g", "global": true, "global_condition": "help"}, {"name": "b"}]);
    for graph in [
        small(),
        domain::agent::Graph::starter().to_json(),
        graph(global, json!([{"from": "g", "to": "b"}, {"from": "b", "to": "__end__"}])),
        with_webhook(json!({"url": "{{vars.base}}/x/#{id}", "headers": {"Authorization": "Bearer {{ secrets.k }}"}})),
        with_webhook(json!({"url": "{{vars.scheme}}://{{vars.host}}:{{vars.port}}/"})),
        with_webhook(json!({"url": "https://x.test:{{vars.port}}/"})),
    ] {
        assert_eq!(warnings(&graph), []);
    }
}
