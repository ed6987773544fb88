//! Tests of `domain` through its public API.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod forms;
mod phone;
mod round_trip;
mod rules;
mod variables;
mod warnings;

use domain::agent::{Checked, Graph};
use serde_json::{Value, json};

/// `__start__` → `a` → `__end__`, with `a` at `/nodes/1`.
fn small() -> Value {
    json!({
        "nodes": [{"name": "__start__"}, {"name": "a", "prompt": "Help."}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "a"}, {"from": "a", "to": "__end__", "label": "done"}],
    })
}

/// The small graph with `a` replaced.
fn with_node(node: Value) -> Value {
    let mut graph = small();
    graph["nodes"][1] = node;
    graph
}

/// The small graph whose `a` is a WebhookNode.
fn with_webhook(webhook: Value) -> Value {
    with_node(json!({"name": "a", "type": "WebhookNode", "webhook": webhook}))
}

/// The small graph whose `a` is a SubagentNode.
fn with_tools(subagent: Value) -> Value {
    with_node(json!({"name": "a", "type": "SubagentNode", "subagent": subagent}))
}

#[track_caller]
fn accept(input: &Value) -> Checked {
    Graph::read(input).unwrap_or_else(|problems| panic!("refused: {problems:#?}"))
}

/// Pairs of pointer and code.
fn faults(input: &Value) -> Vec<(String, &'static str)> {
    let problems = Graph::read(input).err().unwrap_or_default();
    problems.into_iter().map(|problem| (problem.path, problem.code)).collect()
}
