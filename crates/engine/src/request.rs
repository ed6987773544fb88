//! Turns a [`CallModel`] and rows of history into a request that even a strict provider takes.
//!
//! A history is cut only where no call loses its result. The contact's first message and the step prompt of the current
//! visit are shown even when they are older than the window.

use crate::{agent::Compiled, effect::CallModel, history, input_queue::PICTURES, prompt, state::State, summary};
use domain::{
    chat::{ChatMessage, ModelRequest, ToolCall},
    tool_names,
};
use serde_json::{Value, json};
use std::collections::HashSet;

const LEFT_OUT: &str = "[a message that the filter of the model's provider refused]";

/// Builds the request of a call. `rows` must hold the entries from `call.from` to `call.to` and the
/// older pinned ones; more are ignored.
pub fn model_request(agent: &Compiled, state: &State, call: &CallModel, rows: &[(i64, ChatMessage)]) -> ModelRequest {
    if call.summarises {
        return summary::request(agent, state, call, rows);
    }
    let mut messages = Vec::new();
    let pinned = [
        (call.first_input, "call_first", tool_names::HANDLE_USER_MESSAGE, json!({})),
        (
            call.step_prompt,
            "call_pinned",
            tool_names::MOVE_TO_NEXT_NODE,
            json!({"next_node": call.node, "reason": "entered"}),
        ),
    ];
    for (seq, id, name, arguments) in pinned {
        messages.extend(older(seq, call.from, rows, ToolCall { id: id.into(), name: name.into(), arguments }));
    }
    messages.extend(summary::shown(state, call));
    messages.extend(history::window(call, rows));
    if call.repaired {
        messages = repaired(messages);
    }
    for text in &state.history.left_out {
        leave_out(&mut messages, text);
    }
    let llm = history::llm(agent, call);
    ModelRequest {
        system: prompt::system(agent, state, call.at).text,
        messages,
        tools: agent.node(&call.node).into_iter().flat_map(|node| node.offered(state)).cloned().collect(),
        temperature: llm.temperature,
        max_tokens: llm.max_tokens,
        doubled: call.doubled,
        room: call.room,
        llm,
        pictures: Vec::new(),
    }
}

/// Replaces a text of the contact that the provider's filter refused: with it, it would refuse
/// every later request. Its pictures are left out as well.
fn leave_out(messages: &mut [ChatMessage], text: &str) {
    let mut replaced = false;
    for message in messages {
        if let ChatMessage::User { content, pictures } = message
            && (content.trim() == text || replaced && content == PICTURES)
        {
            pictures.clear();
        }
        let (ChatMessage::User { content, .. } | ChatMessage::Tool { content, .. }) = message else { continue };
        replaced = true;
        if content.trim() == text {
            LEFT_OUT.clone_into(content);
        } else if let Ok(mut result) = serde_json::from_str::<Value>(content)
            && result["text"] == text
        {
            // The form of version 1.
            result["text"] = LEFT_OUT.into();
            *content = result.to_string();
        } else {
            replaced = false;
        }
    }
}

/// A pinned entry that the window does not show. A result gets a call of its own, because its call
/// is cut off.
fn older(seq: Option<i64>, from: i64, rows: &[(i64, ChatMessage)], call: ToolCall) -> Vec<ChatMessage> {
    let Some((seq, message)) = rows.iter().find(|(at, _)| Some(*at) == seq) else { return Vec::new() };
    match message {
        ChatMessage::Tool { content, .. } if *seq <= from => {
            let call_id = call.id.clone();
            let asked = ChatMessage::assistant(None, vec![call]);
            vec![asked, ChatMessage::Tool { call_id, content: content.clone() }]
        }
        other if *seq < from => vec![other.clone()],
        _ => Vec::new(),
    }
}

/// Gives every call a result and drops results without a call, after a provider reported a call
/// without result.
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
