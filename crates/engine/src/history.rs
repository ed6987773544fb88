//! Turns a [`CallModel`] and rows of history into a request that even a strict provider takes.
//!
//! What is cut off is cut where no call loses its result, and the first thing the person said and the step prompt of the
//! current visit are shown even when they are older than the window.

use crate::{compile::Compiled, effect::CallModel, prompt, state::State, tools::move_to_next_node};
use domain::chat::{ChatMessage, ModelRequest, ToolCall};
use serde_json::json;
use std::collections::HashSet;

/// The request for a call. `rows` holds the entries from `call.from` to `call.to`, and the pinned ones that are older; more
/// does no harm.
pub fn model_request(agent: &Compiled, state: &State, call: &CallModel, rows: &[(i64, ChatMessage)]) -> ModelRequest {
    let row = |seq: i64| rows.iter().find(|(at, _)| *at == seq).map(|(_, message)| message.clone());
    let older = |seq: Option<i64>, than: i64| seq.filter(|seq| *seq < than).and_then(row);
    let mut messages = Vec::new();
    messages.extend(older(call.first_input, call.from));
    // The step prompt answers the entry before it: where the window begins with it, its call is cut off.
    if let Some(ChatMessage::Tool { content, .. }) = older(call.step_prompt, call.from + 1) {
        let pinned = ToolCall {
            id: "call_pinned".into(),
            name: move_to_next_node::NAME.into(),
            arguments: json!({"next_node": call.node, "reason": "entered"}),
        };
        let call_id = pinned.id.clone();
        messages.push(ChatMessage::Assistant { content: None, tool_calls: vec![pinned] });
        messages.push(ChatMessage::Tool { call_id, content });
    }
    let window = rows.iter().filter(|(seq, _)| (call.from..=call.to).contains(seq)).map(|(_, message)| message.clone());
    messages.extend(paired(window.collect()));
    let tools = agent.node(&call.node).map(|node| node.tools.clone()).unwrap_or_default();
    ModelRequest { system: prompt::system(agent, state, call.at), messages, tools, temperature: None, max_tokens: None }
}

/// Drops results whose call was cut off. A call without a result cannot occur: results are appended before the model is
/// asked again.
fn paired(window: Vec<ChatMessage>) -> Vec<ChatMessage> {
    let mut open = HashSet::new();
    let mut kept = Vec::with_capacity(window.len());
    for message in window {
        match &message {
            ChatMessage::Assistant { tool_calls, .. } => open.extend(tool_calls.iter().map(|call| call.id.clone())),
            ChatMessage::Tool { call_id, .. } if !open.remove(call_id) => continue,
            _ => {}
        }
        kept.push(message);
    }
    kept
}
