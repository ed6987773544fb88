//! Windows of history, in which no result has lost its call, and the model that reads them.

use crate::{agent::Compiled, effect::CallModel};
use domain::{agent::LlmConfig, chat::ChatMessage};
use std::collections::HashSet;

/// The entries of a call's window.
pub(crate) fn window(call: &CallModel, rows: &[(i64, ChatMessage)]) -> Vec<ChatMessage> {
    let rows = rows.iter().filter(|(seq, _)| (call.from..=call.to).contains(seq));
    paired(rows.map(|(_, message)| message.clone()).collect())
}

/// The node's model, or the fallback of this call.
pub(crate) fn llm(agent: &Compiled, call: &CallModel) -> LlmConfig {
    let llm = agent.node(&call.node).map(|node| node.llm.clone()).unwrap_or_default();
    call.fallback.checked_sub(1).and_then(|place| llm.fallbacks.get(place).cloned()).unwrap_or(llm)
}

/// Drops results whose call was cut off. Calls without a result cannot occur: results are appended
/// before the next model call.
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
