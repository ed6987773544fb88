//! Agents of the simulation: a plain one, one with a debounce, and one with tools, a handoff and a
//! warm end.

use serde_json::{Value, json};

/// Node names that the model uses, including one that does not exist.
pub(super) const NODES: [&str; 6] = ["talk", "lookup", "person", "closing", "__end__", "nowhere"];

/// Agents in the form of `POST /agents`.
pub(super) fn all() -> [Value; 3] {
    [
        json!({"name": "Plain"}),
        json!({"name": "Patient", "message_debounce_seconds": 2}),
        json!({"name": "Desk", "message_debounce_seconds": 1, "graph": desk()}),
    ]
}

fn desk() -> Value {
    json!({
        "nodes": [
            {"name": "__start__", "type": "DefaultNode"},
            {"name": "talk", "type": "SubagentNode", "prompt": "Help.", "subagent": {"webhooks": [
                {"name": "find", "description": "Finds an order", "url": "https://shop.example/orders", "http_method": "GET"},
                {"name": "cancel", "description": "Cancels it", "url": "https://shop.example/cancel", "http_method": "POST"}]}},
            {"name": "lookup", "type": "DefaultNode", "prompt": "Explain."},
            {"name": "person", "type": "HandoffNode", "handoff": {}},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [
            {"from": "__start__", "to": "talk"},
            {"from": "talk", "to": "lookup", "label": "about an order"},
            {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "talk", "to": "closing", "label": "nothing more"},
            {"from": "lookup", "to": "talk", "label": "done"},
            {"from": "closing", "to": "talk", "label": "something new"},
            {"from": "closing", "to": "__end__", "label": "goodbye"}]})
}
