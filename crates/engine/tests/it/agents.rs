//! Agents of the property suites: every node type, and for each node its permissions.

use crate::graphs::content;
use engine::{
    AgentContent, Compiled,
    limits::{Limits, OverBudget},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

pub struct Agent {
    pub compiled: Arc<Compiled>,
    /// For each node: allowed origins of HTTP requests.
    pub origins: BTreeMap<&'static str, Vec<&'static str>>,
    /// For each node: templates that it may send.
    pub templates: BTreeMap<&'static str, Vec<&'static str>>,
    /// For each node: knowledge bases that it may search.
    pub bases: BTreeMap<&'static str, Vec<&'static str>>,
    pub edges: Vec<(&'static str, &'static str)>,
    pub globals: Vec<&'static str>,
    /// Every tool of every node.
    pub names: BTreeSet<String>,
}

const EDGES: [(&str, &str, &str); 17] = [
    ("__start__", "a", ""),
    ("a", "s", "wants s"),
    ("a", "k", "wants k"),
    ("a", "__end__", "done"),
    ("s", "a", "back"),
    ("s", "w", "closing"),
    ("k", "a", "back"),
    ("k", "s", "onwards"),
    ("k", "h", "a person is wanted"),
    ("g", "k", "wants k"),
    ("a", "t", "wants t"),
    ("t", "a", "back"),
    ("s", "t", "onwards"),
    ("s", "f", "wants facts"),
    ("f", "a", "back"),
    ("w", "a", "something else"),
    ("w", "__end__", "done"),
];

/// Agents that the hostile model runs in: version 1 and 2, one with little room and a budget, one that hands off to a
/// person when its budget is used up.
pub const COUNT: usize = 4;
/// One more: version 2 without settings of its own.
pub const PLAIN: usize = COUNT;

static ALL: LazyLock<Vec<Agent>> = LazyLock::new(|| (0..=PLAIN).map(compile).collect());

pub fn one(number: usize) -> &'static Agent {
    &ALL[number]
}

/// Compiles the agent with every node type.
fn compile(number: usize) -> Agent {
    let hook = |node: &str, name: &str| {
        json!({"name": name, "url": format!("https://{node}.example/{name}/#{{id}}"), "http_method": "POST",
            "headers": {"Authorization": "{{secrets.k}}"},
            "body_schema": {"type": "object", "properties": {"n": {"type": "integer"}, "deep": {"type": "object"}}, "required": ["n"]}})
    };
    let offer =
        json!({"name": "offer", "template_name": "offer", "template_parameters": {}, "whatsapp_template_id": "1"});
    let nodes = [
        json!({"name": "a", "prompt": "Hello {{contact.profile_name}} {{nothing.there}}"}),
        json!({"name": "s", "type": "SubagentNode", "subagent": {"whatsapp_templates": [offer],
            "mcp_servers": [{"name": "stock", "url": "https://s.example/mcp", "headers": {"Authorization": "{{secrets.k}}"},
                "jmespath_queries": [{"tool_name": "count", "jmespath_query": "avg(n)"}]}, {"name": "late", "url": "https://s.example/late", "transport_kind": "sse"}],
            "knowledge_bases": [{"name": "faq", "knowledge_base_text": "Open at nine."}, {"name": "prices", "description": "What it costs", "knowledge_base_text": ""}], "webhooks": [hook("s", "one"), hook("s", "two"),
            {"name": "mocked", "url": "https://s.example/mock", "mock_response_enabled": true, "mock_response": {"a": "x".repeat(40_000)}},
            {"name": "moved", "url": "https://#{host}.example/", "http_method": "GET"}]}}),
        json!({"name": "k", "type": "WebhookNode", "max_steps": 9, "webhook": {"url": "https://k.example/#{id}", "jmespath_query": "avg(n)"}}),
        json!({"name": "t", "type": "WhatsappTemplateNode", "whatsapp_template": {"template_name": "reminder", "wait_for_response": true,
            "template_parameters": {"1": "#{when}", "name": "{{contact.profile_name}}"}, "whatsapp_template_id": "2"}}),
        json!({"name": "f", "type": "KnowledgeBaseNode", "knowledge_base": {"knowledge_base_text": "Open at nine."}}),
        json!({"name": "w", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}}),
        json!({"name": "h", "type": "HandoffNode"}),
        json!({"name": "p", "type": "HandoffNode", "global": true, "global_condition": "anger"}),
        json!({"name": "g", "global": true, "global_condition": "help"}),
    ];
    let usual = content(Some("You sell paper."), &nodes, &EDGES);
    let limits = |over_budget| Limits {
        context_tokens: 9_000,
        history_messages: 20,
        token_budget: Some(60_000),
        summaries: true,
        over_budget,
        ..Limits::default()
    };
    let settings = match number {
        PLAIN => usual,
        0 => AgentContent { agent_version: 1, enabled_tools: vec!["webhook_request".into()], ..usual },
        1 => AgentContent {
            llm_config: json!({"fallbacks": [{"provider_name": "OpenAI"}]}).as_object().cloned(),
            ..usual
        },
        2 => AgentContent { agent_version: 1, limits: limits(OverBudget::Fail), ..usual },
        _ => AgentContent { limits: limits(OverBudget::Handoff), ..usual },
    };
    let compiled = Compiled::new(&settings).unwrap();
    let offered = ["a", "s", "k", "t", "f", "w", "g"].into_iter().filter_map(|node| compiled.node(node));
    let names = offered.flat_map(|node| node.tools.iter().map(|tool| tool.name.clone())).collect();
    let origins = BTreeMap::from([("s", vec!["https://s.example/"]), ("k", vec!["https://k.example/"])]);
    let templates = BTreeMap::from([("s", vec!["offer"]), ("t", vec!["reminder"])]);
    let bases = BTreeMap::from([("s", vec!["faq", "prices"]), ("f", vec!["kb_f"])]);
    let edges = EDGES.iter().map(|(from, to, _)| (*from, *to)).collect();
    let compiled = Arc::new(compiled);
    Agent { compiled, origins, templates, bases, edges, globals: vec!["g", "p"], names }
}
