//! Stored events as text: short in the notation of docs/spec/engine.md 9, and full lines for the
//! snapshot.

use super::script::short;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::StoredEvent;

/// Short notation of the scenario table; `None` for events that the table omits.
pub fn in_short(event: &StoredEvent) -> Option<String> {
    let word = |field: &str| event.data[field].as_str().unwrap_or_default();
    Some(match event.name.as_str() {
        "execution.created" => "created".into(),
        "node.entered" if event.data["global"] == true => {
            format!("enter {} global from {}", word("node"), word("triggering_node"))
        }
        "node.entered" => format!("enter {}", word("node")),
        "tool.called" => format!("call {}", short(word("name"))),
        "tool.result" if event.data["ok"] == false => format!("error {}", word("code")),
        "message.sent" => format!("sent {:?}", word("text")),
        "message.failed" => format!("failed {}", word("code")),
        "interrupt.created" => format!("int {}", word("kind")),
        "interrupt.resolved" => "int resolved".into(),
        "execution.status" => format!("status {}", word("to")),
        "llm.discarded" => "discarded".into(),
        "llm.retried" => "retried".into(),
        "input.injected" => "injected".into(),
        "input.queued" => "queued".into(),
        "warning" => format!("warning {}", word("path")),
        _ => return None,
    })
}

/// Fields that differ between runs or repeat the script.
const LEFT_OUT: [&str; 18] = [
    "agent_id",
    "call_id",
    "effects",
    "est_tokens",
    "id",
    "ids",
    "interrupt",
    "message_id",
    "model",
    "ms",
    "first_token_ms",
    "bytes",
    "rendering",
    "result",
    "tokens",
    "tools",
    "usage",
    // Part of it derives from the execution's id.
    "wait_ms",
];

pub fn line(event: &StoredEvent) -> String {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in event.data.as_object().into_iter().flatten() {
        if !LEFT_OUT.contains(&name.as_str()) && !value.is_null() && name != "tool_calls" {
            fields.insert(name, shown(value));
        }
    }
    let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{}{fields}", event.name)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 120 { format!("{}…", text.chars().take(120).collect::<String>()) } else { text }
}

/// Invariants of every execution: events and history without gaps, one result for each call.
pub fn hold(events: &[StoredEvent], entries: &[Value], resting: bool) {
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.seq, place as u64 + 1, "a gap in the events");
    }
    let mut open: Vec<&str> = Vec::new();
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        for call in entry["tool_calls"].as_array().into_iter().flatten() {
            open.push(call["id"].as_str().unwrap());
        }
        if let Some(call) = entry["call_id"].as_str() {
            *results.entry(call).or_default() += 1;
        }
    }
    for call in open {
        let count = results.remove(call).unwrap_or_default();
        assert!(count == 1 || (count == 0 && resting), "{call} has {count} results");
    }
    assert!(results.is_empty(), "results without a call: {results:?}");
}
