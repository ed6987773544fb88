//! The agents of the scenarios.

use domain::agent::Graph;
use engine::{AgentContent, Compiled};
use serde_json::{Value, json};

/// Reads a graph as a client would send it: `edges` are (from, to, condition).
pub fn agent(nodes: &[Value], edges: &[(&str, &str, &str)]) -> Compiled {
    agent_with(None, nodes, edges)
}

pub fn agent_with(system_prompt: Option<&str>, nodes: &[Value], edges: &[(&str, &str, &str)]) -> Compiled {
    Compiled::new(&content(system_prompt, nodes, edges)).unwrap()
}

/// The same before it is compiled, for settings of the agent.
pub fn content(system_prompt: Option<&str>, nodes: &[Value], edges: &[(&str, &str, &str)]) -> AgentContent {
    let ends = [json!({"name": "__start__"}), json!({"name": "__end__"})];
    let nodes: Vec<&Value> = ends.iter().chain(nodes).collect();
    let edge = |(from, to, label): &(&str, &str, &str)| match *label {
        "" => json!({"from": from, "to": to}),
        label => json!({"from": from, "to": to, "label": label}),
    };
    let edges: Vec<Value> = edges.iter().map(edge).collect();
    let checked = Graph::read(&json!({"nodes": nodes, "edges": edges})).unwrap();
    let system_prompt = system_prompt.map(str::to_owned);
    AgentContent { system_prompt, agent_version: 2, graph: checked.graph.to_json(), ..AgentContent::default() }
}

/// Graph A: start → a → end.
pub fn graph_a() -> Compiled {
    Compiled::new(&content_a()).unwrap()
}

/// Graph B, with c that nothing leads to and a global node g.
pub fn graph_b() -> Compiled {
    Compiled::new(&content_b()).unwrap()
}

/// start → a; a → h (HandoffNode); a → end; a global g that leads to h as well.
pub fn graph_handoff() -> Compiled {
    agent(
        &[
            json!({"name": "a", "prompt": "Help."}),
            json!({"name": "h", "type": "HandoffNode"}),
            json!({"name": "g", "global": true, "global_condition": "a complaint"}),
        ],
        &[("__start__", "a", ""), ("a", "h", "wants a person"), ("a", "__end__", "done"), ("g", "h", "is angry")],
    )
}

/// start → w (WarmEndNode, 5 minutes) → end.
pub fn graph_warm() -> Compiled {
    agent(
        &[json!({"name": "w", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}})],
        &[("__start__", "w", ""), ("w", "__end__", "done")],
    )
}

/// start → w, a WebhookNode → end.
pub fn graph_webhook(webhook: &Value) -> Compiled {
    agent(
        &[json!({"name": "w", "type": "WebhookNode", "webhook": webhook})],
        &[("__start__", "w", ""), ("w", "__end__", "done")],
    )
}

/// The same agents in version 1, where only tools reach the contact.
pub fn v1(content: AgentContent) -> Compiled {
    Compiled::new(&AgentContent { agent_version: 1, ..content }).unwrap()
}

/// Graph A before it is compiled.
pub fn content_a() -> AgentContent {
    content(
        Some("You sell paper."),
        &[json!({"name": "a", "prompt": "Help."})],
        &[("__start__", "a", ""), ("a", "__end__", "nothing more is wanted")],
    )
}

/// Graph B before it is compiled, with the global node g.
pub fn content_b() -> AgentContent {
    content(
        None,
        &[
            json!({"name": "a", "prompt": "Instructions of a."}),
            json!({"name": "b", "prompt": "Instructions of b."}),
            json!({"name": "c", "prompt": "Instructions of c."}),
            json!({"name": "g", "prompt": "Instructions of g.", "global": true, "global_condition": "help is wanted"}),
        ],
        &[
            ("__start__", "a", ""),
            ("a", "b", "wants b"),
            ("b", "a", "wants a"),
            ("b", "__end__", "done"),
            ("c", "__end__", "done"),
        ],
    )
}
