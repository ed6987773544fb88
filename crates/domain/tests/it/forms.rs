//! Every input form of docs/spec/engine.md 1.2.

use crate::{accept, small, with_node, with_tools, with_webhook};
use domain::agent::{Graph, HttpMethod, Node, NodeKind, Transport, WarmEnd, Webhook, request_tool_name};
use serde_json::{Map, Value, json};

fn node_a(input: &Value) -> Node {
    accept(input).graph.node_by_name("a").unwrap().clone()
}

fn webhook(fields: Value) -> Webhook {
    match node_a(&with_webhook(fields)).kind {
        NodeKind::Webhook(webhook) => webhook,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_canonical_form_is_taken_as_it_is() {
    let canonical = json!({
        "nodes": [
            {"id": "n1", "name": "__start__", "type": "DefaultNode", "prompt": "", "global": false},
            {"id": "n2", "name": "triage", "type": "DefaultNode", "prompt": "Find out.", "global": false, "position": {"x": 0, "y": 0}},
            {"id": "n3", "name": "__end__", "type": "DefaultNode", "prompt": "", "global": false},
        ],
        "edges": [{"id": "e1", "from": "n1", "to": "n2"}, {"id": "e2", "from": "n2", "to": "n3", "label": "nothing more is wanted"}],
        "metadata": {},
    });
    assert_eq!(accept(&canonical).graph.to_json(), canonical);
}

#[test]
fn nodes_without_ids_are_known_by_name() {
    let graph = accept(&small()).graph;
    assert_eq!(graph.nodes[1].id, "a");
    assert_eq!((graph.edges[0].id.as_str(), graph.edges[0].to.as_str()), ("__start___to_a", "a"));
}

#[test]
fn edges_may_name_nodes_by_name_though_they_have_ids_and_terminals_by_short_names() {
    let mut input = small();
    input["nodes"][0]["id"] = json!("n0");
    input["nodes"][1]["id"] = json!("n1");
    input["edges"] = json!([{"from": "START", "to": "a"}, {"from": "n1", "to": "end", "condition": "done"}]);
    let graph = accept(&input).graph;
    assert_eq!((graph.edges[0].from.as_str(), graph.edges[0].to.as_str()), ("n0", "n1"));
    assert_eq!(graph.edges[1].to, "__end__");
}

#[test]
fn a_condition_is_a_label_unless_there_is_one() {
    let mut input = small();
    input["edges"][1] = json!({"from": "a", "to": "__end__", "condition": "no more"});
    assert_eq!(accept(&input).graph.edges[1].label.as_deref(), Some("no more"));
    input["edges"][1] = json!({"from": "a", "to": "__end__", "condition": "no more", "label": "done"});
    let edge = accept(&input).graph.edges[1].clone();
    assert_eq!(edge.label.as_deref(), Some("done"));
    assert_eq!(
        accept(&input).graph.to_json()["edges"][1]["condition"],
        "no more",
        "the client reads back what it wrote"
    );
    input["edges"][1]["condition"] = json!(" ");
    assert!(accept(&input).graph.edges[1].extra.is_empty());
}

#[test]
fn an_editors_nodes_and_edges_are_unwrapped() {
    let input = json!({
        "nodes": [
            {"id": "1", "type": "flow-node", "data": {"node_type": "DefaultNode", "name": "__start__"}},
            {"id": "2", "type": "flow-node", "position": {"x": 1, "y": 2}, "selected": true,
             "data": {"nodeType": "WebhookNode", "displayName": "a", "prompt": "Look.", "config": {"url": "https://x.test"}, "colour": "red"}},
            {"id": "3", "data": {"display_name": "b", "node_type": "WarmEndNode", "warm_end": {"timeoutMinutes": 7}}},
            {"id": "4", "data": {"name": "__end__"}},
        ],
        "edges": [
            {"id": "e1", "source": "1", "target": "2", "sourceHandle": "s"},
            {"source": "2", "target": "3"},
            {"source": "3", "target": "4"},
        ],
    });
    let graph = accept(&input).graph;
    let a = graph.node_by_id("2").unwrap();
    assert_eq!((a.name.as_str(), a.prompt.as_str(), a.kind.node_type().name), ("a", "Look.", "WebhookNode"));
    assert_eq!(a.position.as_ref().unwrap()["y"], 2);
    assert_eq!(Value::from(a.extra.clone()), json!({"selected": true, "data": {"colour": "red"}}));
    assert_eq!(
        graph.node_by_name("b").unwrap().kind,
        NodeKind::WarmEnd(WarmEnd { timeout_minutes: 7, extra: Map::new() })
    );
    assert_eq!((graph.edges[0].from.as_str(), &graph.edges[0].extra["sourceHandle"]), ("1", &json!("s")));
    assert!(graph.to_json()["edges"][0].get("source").is_none());
    assert_eq!(graph.edges_from("2").count(), 1);
}

#[test]
fn json_in_strings_is_decoded_until_it_is_json() {
    let twice = json!(json!({"X-Shop": "7"}).to_string()).to_string();
    let hook = webhook(json!({
        "url": "https://x.test", "headers": twice, "body": "{\"sku\": \"#{sku}\"}", "mock_response": "\"[1, 2]\"",
        "body_schema": "{}",
    }));
    assert_eq!(hook.headers, [("X-Shop".to_owned(), "7".to_owned())]);
    assert_eq!(
        (hook.headers_raw.as_deref(), hook.body_raw.as_deref()),
        (Some(twice.as_str()), Some("{\"sku\": \"#{sku}\"}"))
    );
    assert_eq!(
        (hook.body, hook.mock_response, hook.body_schema),
        (json!({"sku": "#{sku}"}), Some(json!([1, 2])), None)
    );
}

#[test]
fn a_body_or_mock_that_is_not_json_stays_text() {
    let hook = webhook(json!({"url": "https://x.test", "body": "{\"n\": #{n}}", "mock_response": "sold out"}));
    assert_eq!((hook.body, hook.mock_response), (json!("{\"n\": #{n}}"), Some(json!("sold out"))));
}

#[test]
fn values_inside_of_texts_are_counted_before_they_take_memory() {
    let lists = |count: usize| format!("[{}[]]", "[],".repeat(count));
    let graph = |mock: String| with_webhook(json!({"url": "https://x.test", "mock_response": mock}));
    accept(&graph(lists(100_000)));
    for mock in [lists(130_000), json!(lists(130_000)).to_string()] {
        let problems = Graph::read(&graph(mock)).unwrap_err();
        assert_eq!(problems[0].code, "graph_too_large", "{:?}", problems[0]);
    }
    // A text with commas is no JSON.
    accept(&graph("a,".repeat(300_000)));
}

#[test]
fn the_text_as_written_wins_over_its_parsed_twin() {
    let hook = webhook(json!({
        "url": "https://x.test", "headers": {"x-shop": "1"}, "headers_raw": "{\"X-Shop\": \"2\"}", "body": {"a": 1}, "body_raw": null,
        "mock_response_raw": "{\"b\": 2}",
    }));
    assert_eq!(hook.headers, [("X-Shop".to_owned(), "2".to_owned())]);
    assert_eq!((hook.body, hook.body_raw), (json!({"a": 1}), None));
    assert_eq!(hook.mock_response, Some(json!({"b": 2})));
}

#[test]
fn camel_case_is_understood_and_stored_as_snake_case() {
    let hook = webhook(
        json!({"url": "https://x.test", "httpMethod": "post", "jmespathQuery": "a.b", "mockResponseEnabled": true}),
    );
    assert_eq!(
        (hook.method, hook.jmespath_query.as_deref(), hook.mock_response_enabled),
        (HttpMethod::Post, Some("a.b"), true)
    );
    assert_eq!(hook.extra.len(), 0);
    let node = node_a(&with_node(json!({"name": "a", "maxSteps": 3.0})));
    assert_eq!((node.max_steps, node.extra.len()), (Some(3), 0));
}

#[test]
fn both_spellings_of_the_template_node_are_one() {
    for kind in ["WhatsAppTemplateNode", "WhatsappTemplateNode"] {
        let node = node_a(&with_node(json!({"name": "a", "type": kind, "whatsapp_template": {"name": "order_ready"}})));
        let NodeKind::WhatsappTemplate(template) = &node.kind else { panic!("{:?}", node.kind) };
        assert_eq!(
            (node.kind.node_type().name, template.template_name.as_str()),
            ("WhatsappTemplateNode", "order_ready")
        );
    }
}

#[test]
fn defaults_are_those_of_the_specification() {
    assert_eq!(webhook(json!({"url": "https://x.test"})).method, HttpMethod::Get);
    let node = node_a(&with_tools(json!({
        "webhooks": [{"name": "t", "url": "https://x.test"}],
        "knowledge_bases": [{"name": "faq", "knowledge_base_text": "x"}],
        "mcp_servers": [{"name": "m", "url": "https://x.test"}],
    })));
    let NodeKind::Subagent(tools) = node.kind else { panic!() };
    assert_eq!((tools.webhooks[0].method, tools.webhooks[0].body.clone()), (HttpMethod::Post, json!({})));
    assert_eq!(
        (tools.knowledge_bases[0].key.as_str(), tools.mcp_servers[0].transport),
        ("faq", Transport::StreamableHttp)
    );
    let base = json!({"name": "a", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": "x"}});
    let NodeKind::KnowledgeBase(base) = node_a(&with_node(base)).kind else { panic!() };
    assert_eq!(base.key, "kb_a");
    let warm = json!({"name": "a", "type": "WarmEndNode", "warm_end": {}});
    assert_eq!(node_a(&with_node(warm)).kind, NodeKind::WarmEnd(WarmEnd { timeout_minutes: 5, extra: Map::new() }));
}

#[test]
fn a_webhook_tool_takes_every_distinct_placeholder_and_then_its_schema() {
    let fields = json!({
        "url": "https://x.test/#{id}", "headers": {"X-#{tenant}": "#{id}"}, "body": {"#{key}": [{"q": "#{q} #{id}"}]},
    });
    assert_eq!(webhook(fields.clone()).placeholders(), ["id", "tenant", "key", "q"]);
    let mut fields = fields;
    fields["body_schema"] = json!({"type": "object", "properties": {"size": {"type": "string"}, "id": {}}});
    assert_eq!(webhook(fields.clone()).placeholders(), ["id", "tenant"]);
    assert_eq!(webhook(fields).argument_names(), ["id", "tenant", "size"]);
}

#[test]
fn request_tools_have_names_that_models_accept() {
    for (root, tool) in [("Stock", "stock_request"), ("1st", "_1st_request"), ("get-it now", "get_it_now_request")] {
        assert_eq!(request_tool_name(root), tool);
    }
}

#[test]
fn the_starter_graph_is_sound() {
    let starter = Graph::starter();
    let checked = accept(&starter.to_json());
    assert_eq!(checked.graph, starter);
    assert!(starter.edges_from("assistant").all(|edge| edge.to == "__end__" && edge.label.is_some()));
}
