//! Invariants of every step, and the requests that strict providers accept.

use domain::{
    chat::{ChatMessage, ModelRequest},
    execution::ExecutionStatus::{self, Ended, Failed, Handoff, Paused, Running, Started, Stopped},
};
use engine::{State, limits};
use std::collections::{HashSet, VecDeque};

/// Every call is answered once, in order, before the next message. Open calls are those of the
/// state.
pub fn history(rows: &[(i64, ChatMessage)], state: &State) {
    let open = calls_left(rows.iter().map(|(_, message)| message)).unwrap_or_else(|why| panic!("{why}: {rows:#?}"));
    let waiting =
        state.phase.interrupt().into_iter().filter_map(|interrupt| interrupt.call.as_ref()).chain(&state.calls);
    let waiting: Vec<&str> = waiting.map(|call| call.id.as_str()).collect();
    assert_eq!(open, waiting, "open calls of history and of the state");
}

fn calls_left<'a>(messages: impl Iterator<Item = &'a ChatMessage>) -> Result<Vec<&'a str>, String> {
    let mut open: VecDeque<&str> = VecDeque::new();
    let mut seen = HashSet::new();
    for message in messages {
        match message {
            ChatMessage::Tool { call_id, .. } => match open.pop_front() {
                Some(call) if call == call_id => {}
                other => return Err(format!("{call_id} is answered where {other:?} waits")),
            },
            _ if !open.is_empty() => return Err(format!("{open:?} are without result before {message:?}")),
            ChatMessage::User { content, .. } if content.trim().is_empty() => return Err("an empty message".into()),
            ChatMessage::User { .. } => {}
            ChatMessage::Assistant { content, tool_calls, .. } => {
                if content.as_deref().unwrap_or_default().trim().is_empty() && tool_calls.is_empty() {
                    return Err("an empty answer".into());
                }
                for call in tool_calls {
                    if !seen.insert(call.id.as_str()) {
                        return Err(format!("{} is used twice", call.id));
                    }
                    if !is_tool_name(&call.name) {
                        return Err(format!("no provider takes the name {:?}", call.name));
                    }
                    open.push_back(&call.id);
                }
            }
        }
    }
    Ok(open.into_iter().collect())
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A request that the strictest provider accepts and that has what the model needs.
pub fn request(request: &ModelRequest, node: &str) {
    let open = calls_left(request.messages.iter()).unwrap_or_else(|why| panic!("{why}: {:#?}", request.messages));
    assert_eq!(open, Vec::<&str>::new(), "calls without a result in a request");
    assert!(request.messages.len() <= limits::HISTORY as usize, "{}", request.messages.len());
    let prompt = format!("# Step: {node}\n");
    let shows = |message: &ChatMessage| match message {
        ChatMessage::Tool { content, .. } | ChatMessage::Assistant { content: Some(content), .. } => {
            content.starts_with(&prompt)
        }
        _ => false,
    };
    assert!(request.messages.iter().any(shows), "the step prompt of {node} is missing");
    assert!(!request.tools.is_empty(), "{node} offers no tools");
    let names: HashSet<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names.len(), request.tools.len(), "two tools of one name");
}

/// The pairs of docs/spec/engine.md 2.9 that the engine itself may make.
pub fn transition(from: ExecutionStatus, to: ExecutionStatus) {
    let allowed: &[ExecutionStatus] = match from {
        Started => &[Running, Stopped, Failed],
        // Back to the start: the worker died.
        Running => &[Started, Paused, Handoff, Ended, Failed, Stopped],
        Paused => &[Running, Handoff, Ended, Failed, Stopped],
        Handoff => &[Running, Ended, Failed, Stopped],
        Failed => &[Running],
        Ended | Stopped => &[],
    };
    assert!(allowed.contains(&to), "{from:?} became {to:?}");
}
