//! Summaries of entries that the model no longer sees (docs/spec/engine.md 2.8). Off by default: a
//! summary costs a model call and may leave out what matters.

use crate::{
    agent::Compiled,
    effect::CallModel,
    history, limits,
    state::{State, Summary},
    step_builder::StepBuilder,
    text::{unmarked, without_comments},
};
use domain::chat::{ChatMessage, ModelRequest};
use std::fmt::Write as _;

const SUMMARISE: &str = include_str!("../prompts/summary.md");
/// Characters.
const LONGEST: usize = 2_000;

/// The summary as the model reads it, if the window leaves something out.
pub(crate) fn shown(state: &State, call: &CallModel) -> Option<ChatMessage> {
    let summary = state.history.summary.as_ref().filter(|summary| call.from > 1 && !summary.text.is_empty())?;
    let content = format!("[system data] What was said earlier, in short:\n{}", summary.text);
    Some(ChatMessage::user(content))
}

/// The request for a summary. The entries are one text, so that none of them reads as an
/// instruction.
pub(crate) fn request(agent: &Compiled, state: &State, call: &CallModel, rows: &[(i64, ChatMessage)]) -> ModelRequest {
    let mut text = String::new();
    if let Some(summary) = state.history.summary.as_ref().filter(|summary| !summary.text.is_empty()) {
        let _ = writeln!(text, "Earlier, in short: {}", summary.text);
    }
    for message in history::window(call, rows) {
        let _ = match message {
            ChatMessage::User { content, .. } => writeln!(text, "Person: {content}"),
            ChatMessage::Assistant { content: Some(content), .. } => writeln!(text, "Agent: {content}"),
            ChatMessage::Assistant { content: None, tool_calls, .. } => {
                let called: Vec<String> =
                    tool_calls.iter().map(|call| format!("{} {}", call.name, call.arguments)).collect();
                writeln!(text, "Agent calls: {}", called.join("; "))
            }
            ChatMessage::Tool { content, .. } => writeln!(text, "Result: {content}"),
        };
    }
    let llm = history::llm(agent, call);
    ModelRequest {
        system: without_comments(SUMMARISE),
        messages: vec![ChatMessage::user(text)],
        tools: Vec::new(),
        temperature: llm.temperature,
        max_tokens: llm.max_tokens,
        llm,
        ..ModelRequest::default()
    }
}

impl StepBuilder<'_> {
    /// Asks for a summary if enough entries were cut since the last one.
    pub(crate) fn request_summary_if_due(&mut self, window_from: i64) -> bool {
        let from = self.state.history.summary.as_ref().map_or(1, |summary| summary.to + 1);
        if !self.agent.limits.summaries || window_from - from < limits::SUMMARISED {
            return false;
        }
        let call = CallModel {
            id: self.effect_id(),
            node: self.state.visit.node.clone(),
            from,
            to: window_from - 1,
            first_input: None,
            step_prompt: None,
            at: self.at,
            fallback: 0,
            halved: false,
            doubled: false,
            repaired: false,
            summarises: true,
            adapted: 0,
            room: None,
        };
        let tokens = u64::from(limits::CONTEXT_TOKENS.min(self.agent.limits.context_tokens)) / 4;
        self.request_model(call, tokens);
        true
    }

    /// Stores the summary. The contact may have influenced its text, so it must not look like a
    /// note of the engine. Without a text, the earlier summary covers these entries as well.
    pub(crate) fn keep_summary(&mut self, to: i64, text: Option<String>) {
        let earlier = self.state.history.summary.take().map(|summary| summary.text).unwrap_or_default();
        let text = text
            .map(|text| unmarked(text.trim()).chars().take(LONGEST).collect::<String>())
            .filter(|text| !text.is_empty());
        if text.is_none() {
            self.warn("no_summary", "the model wrote no summary of what it is not shown any more");
        }
        self.state.history.summary = Some(Summary { text: text.unwrap_or(earlier), to });
    }
}
