//! A stand-in for a language model: deterministic, keyword-driven, offline, and honest about being no AI.
//!
//! It makes `dev` and `demo` work without an account. It sees what every model sees, the provider request, and nothing
//! else: steps are recognised by their step prompts, tools by their schemas, wishes by a lexicon in English, Spanish and
//! Portuguese. It knows no agent by name and keeps no state, so the same request always gets the same bytes.
//!
//! It does not follow instructions, which is what a language model is for: it routes, fills arguments, reads out data
//! and asks when something is missing.

mod arguments;
mod concepts;
mod conversation;
mod decide;
mod general;
mod language;
mod lexicon;
mod phrases;
mod plans;
mod render;
mod replies;
mod scan;
mod shapes;
mod step_prompt;
mod targets;
mod terms;
mod tester;
#[cfg(test)]
mod tests;
mod values;
mod wish;

use domain::chat::{ChatMessage, Ended, ModelChoice, ModelRequest, ModelResponse, ToolCall, Usage};
use gateways::{
    InProcess,
    llm::{InProcessModel, Provider},
};
use serde_json::{Value, json};

use conversation::{Conversation, asks_by_tool, head};
use decide::{Action, Situation};
use language::Language;

/// Under WhatsApp's limit with room to spare.
const LONGEST_TEXT: usize = 3_000;

/// The rehearsal model as a provider.
pub fn provider() -> Provider {
    let choice = ModelChoice { provider: "Rehearsal".to_owned(), model: "built-in".to_owned() };
    let function = InProcess::new(|(request, _)| Box::pin(async move { Ok(answer(&request)) }));
    Provider::InProcess(InProcessModel::new(choice, function))
}

/// Answers a request. Pure: the same request gets the same answer; never empty, never a tool that is not offered.
pub fn answer(request: &ModelRequest) -> ModelResponse {
    if let Some(call) = tester::answer(request) {
        return counted(request, None, vec![call]);
    }
    let conversation = Conversation::read(request);
    let language = language::detect(conversation.person_texts());
    let action = Situation::new(request, &conversation, language).decide();
    let (text, call) = match action {
        Action::Say(text) => say(request, &labelled(&text, &conversation, language)),
        Action::Move { to, reason } => (None, Some(("MoveToNextNode", json!({"next_node": to, "reason": reason})))),
        Action::Call { tool, arguments } => (None, Some((tool, Value::Object(arguments)))),
        Action::Rest(tool) => (None, Some((tool, json!({})))),
    };
    let calls = call
        .map(|(name, arguments)| ToolCall {
            id: format!("call_{}", request.messages.len()),
            name: name.to_owned(),
            arguments,
        })
        .into_iter()
        .collect();
    counted(request, text, calls)
}

fn counted(request: &ModelRequest, text: Option<String>, tool_calls: Vec<ToolCall>) -> ModelResponse {
    let mut response =
        ModelResponse { text, tool_calls, usage: Usage::default(), model: "rehearsal".to_owned(), ended: Ended::Whole };
    response.usage = usage(request, &response);
    response
}

/// Plain text, or a question by tool for agents of version 1.
fn say<'a>(request: &ModelRequest, text: &str) -> (Option<String>, Option<(&'a str, Value)>) {
    let text = head(text, LONGEST_TEXT);
    if asks_by_tool(request) {
        return (None, Some(("AskUserForInput", json!({"message": text}))));
    }
    (Some(text.to_owned()), None)
}

/// The first text of a conversation says what is answering.
fn labelled(text: &str, conversation: &Conversation, language: Language) -> String {
    let known =
        conversation.said().any(|said| Language::ALL.iter().any(|language| said.contains(phrases::label(*language))));
    if known {
        return text.to_owned();
    }
    format!("{}\n{}", head(text, LONGEST_TEXT - 100), phrases::label(language))
}

/// An estimate: four characters are a token.
fn usage(request: &ModelRequest, response: &ModelResponse) -> Usage {
    let size = |text: &str| text.chars().count();
    let calls = |calls: &[ToolCall]| -> usize {
        calls.iter().map(|call| size(&call.name) + size(&call.arguments.to_string())).sum()
    };
    let messages: usize = request
        .messages
        .iter()
        .map(|message| match message {
            ChatMessage::User { content } | ChatMessage::Tool { content, .. } => size(content),
            ChatMessage::Assistant { content, tool_calls } => content.as_deref().map_or(0, size) + calls(tool_calls),
        })
        .sum();
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| size(&tool.name) + size(&tool.description) + size(&tool.parameters.to_string()))
        .sum();
    let tokens = |characters: usize| u64::try_from(characters.div_ceil(4)).unwrap_or(u64::MAX);
    Usage {
        input_tokens: tokens(size(&request.system) + messages + tools),
        output_tokens: tokens(response.text.as_deref().map_or(0, size) + calls(&response.tool_calls)),
        cached_tokens: 0,
    }
}
