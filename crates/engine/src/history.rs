//! Turns a [`CallModel`] and rows of history into a request that even a strict provider takes.
//!
//! What is cut off is cut where no call loses its result, and the first thing the person said and the step prompt of the
//! current visit are shown even when they are older than the window.

use crate::{
    compile::Compiled,
    effect::CallModel,
    limits, prompt,
    state::State,
    summary,
    tools::{self, move_to_next_node},
    turn::Turn,
};
use domain::{
    agent::LlmConfig,
    chat::{ChatMessage, ModelRequest, ToolCall},
    tool_names::HANDLE_USER_MESSAGE,
};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The request for a call. `rows` holds the entries from `call.from` to `call.to`, and the pinned ones that are older; more
/// does no harm.
pub fn model_request(agent: &Compiled, state: &State, call: &CallModel, rows: &[(i64, ChatMessage)]) -> ModelRequest {
    if call.summarises {
        return summary::request(agent, state, call, rows);
    }
    let mut messages = Vec::new();
    let pinned = [
        (call.first_input, "call_first", HANDLE_USER_MESSAGE, json!({})),
        (
            call.step_prompt,
            "call_pinned",
            move_to_next_node::NAME,
            json!({"next_node": call.node, "reason": "entered"}),
        ),
    ];
    for (seq, id, name, arguments) in pinned {
        messages.extend(older(seq, call.from, rows, ToolCall { id: id.into(), name: name.into(), arguments }));
    }
    messages.extend(summary::shown(state, call));
    messages.extend(window(call, rows));
    if call.repaired {
        messages = repaired(messages);
    }
    let llm = llm(agent, call);
    ModelRequest {
        system: prompt::system(agent, state, call.at),
        messages,
        tools: agent.node(&call.node).into_iter().flat_map(|node| tools::offered(node, state)).cloned().collect(),
        temperature: llm.temperature,
        max_tokens: llm.max_tokens,
        doubled: call.doubled,
        llm,
    }
}

/// The entries of the question's window.
pub(crate) fn window(call: &CallModel, rows: &[(i64, ChatMessage)]) -> Vec<ChatMessage> {
    let rows = rows.iter().filter(|(seq, _)| (call.from..=call.to).contains(seq));
    paired(rows.map(|(_, message)| message.clone()).collect())
}

/// Which model is asked: the node's, or the fallback that the question has come to.
pub(crate) fn llm(agent: &Compiled, call: &CallModel) -> LlmConfig {
    let llm = agent.node(&call.node).map(|node| node.llm.clone()).unwrap_or_default();
    call.fallback.checked_sub(1).and_then(|place| llm.fallbacks.get(place).cloned()).unwrap_or(llm)
}

/// A pinned entry that the window from `from` on does not show. One that answers the entry before it is shown with a call of its own: where
/// the window begins with it, that entry is cut off.
fn older(seq: Option<i64>, from: i64, rows: &[(i64, ChatMessage)], call: ToolCall) -> Vec<ChatMessage> {
    let Some((seq, message)) = rows.iter().find(|(at, _)| Some(*at) == seq) else { return Vec::new() };
    match message {
        ChatMessage::Tool { content, .. } if *seq <= from => {
            let call_id = call.id.clone();
            let asked = ChatMessage::Assistant { content: None, tool_calls: vec![call] };
            vec![asked, ChatMessage::Tool { call_id, content: content.clone() }]
        }
        other if *seq < from => vec![other.clone()],
        _ => Vec::new(),
    }
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

/// Every call with a result, and no result without a call: what a provider refused as unanswered, it takes like this.
fn repaired(messages: Vec<ChatMessage>) -> Vec<ChatMessage> {
    let answered: HashSet<String> = messages
        .iter()
        .filter_map(
            |message| if let ChatMessage::Tool { call_id, .. } = message { Some(call_id.clone()) } else { None },
        )
        .collect();
    let mut whole = Vec::with_capacity(messages.len());
    for message in messages {
        let open: Vec<String> = match &message {
            ChatMessage::Assistant { tool_calls, .. } => {
                tool_calls.iter().map(|call| call.id.clone()).filter(|id| !answered.contains(id)).collect()
            }
            _ => Vec::new(),
        };
        whole.push(message);
        let content = json!({"error": "interrupted"}).to_string();
        whole.extend(open.into_iter().map(|call_id| ChatMessage::Tool { call_id, content: content.clone() }));
    }
    whole
}

/// Tokens that a text takes, roughly: four bytes each.
pub(crate) fn tokens(text: &str) -> u32 {
    u32::try_from(text.len() / 4).unwrap_or(u32::MAX)
}

/// What an entry takes.
pub(crate) fn size(message: &ChatMessage) -> u32 {
    let text = match message {
        ChatMessage::User { content } | ChatMessage::Tool { content, .. } => tokens(content),
        ChatMessage::Assistant { content, tool_calls } => {
            let said = content.as_deref().map_or(0, tokens);
            let called =
                tool_calls.iter().map(|call| tokens(&call.name).saturating_add(tokens(&written(&call.arguments))));
            called.fold(said, u32::saturating_add)
        }
    };
    text.saturating_add(8)
}

fn written(arguments: &Value) -> String {
    arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned)
}

impl Turn<'_> {
    /// The oldest entry that the next question shows, and what it takes in tokens (engine.md 2.8): so many entries, and so
    /// many tokens as the model can read.
    pub(crate) fn window(&self) -> (i64, u64) {
        let to = self.state.history_len;
        let most = self.agent.limits.history();
        let pinned = limits::PINNED + i64::from(self.agent.limits.summaries);
        let by_count = if to <= most { 1 } else { to - most + pinned + 1 };
        let fixed = self.agent.node(&self.state.node).map_or(0, |node| node.tokens);
        let mut used = u64::from(fixed)
            + u64::from(self.state.offers_tokens())
            + u64::from(tokens(&prompt::system(self.agent, self.state, self.at)));
        let budget = u64::from(self.agent.limits.context_tokens) * 3 / 4;
        let mut from = to + 1;
        for size in self.state.sizes.iter().rev() {
            // The newest entry is always shown: without it there is nothing to answer.
            if from <= by_count || (from <= to && used + u64::from(*size) > budget) {
                break;
            }
            used += u64::from(*size);
            from -= 1;
        }
        // Entries from before sizes were kept are not counted.
        let known = to - i64::try_from(self.state.sizes.len()).unwrap_or(i64::MAX);
        (if from == known + 1 { by_count.min(from) } else { from.max(by_count) }, used)
    }
}
