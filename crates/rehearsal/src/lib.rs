//! A stand-in for a language model: deterministic, keyword-driven, offline, and not an AI.
//!
//! `dev` and `demo` work with it without an account. It receives the request that every provider
//! receives: it reads steps from step prompts, tools from their schemas, and wishes by a table of
//! words in English, Spanish and Portuguese. It depends on no agent's names and keeps no state, so
//! equal requests get equal responses.
//!
//! It does not follow instructions. It routes, fills arguments, reads out data, and asks for
//! missing arguments. docs/decisions/0012-rehearsal-crate.md says what belongs in it.

mod arguments;
mod concepts;
mod conversation;
mod decide;
mod language;
mod meaning;
mod phrases;
mod plan;
mod render;
mod replies;
mod scan;
mod step_prompt;
mod terms;
mod test_run;
#[cfg(test)]
mod tests;
mod text;
mod wish;

use domain::chat::{ModelChoice, ModelRequest, ModelResponse, ToolCall, Usage};
use domain::tool_names::{ASK_USER_FOR_INPUT, MOVE_TO_NEXT_NODE};
use gateways::{
    InProcess,
    llm::{InProcessModel, Provider},
};
use serde_json::{Value, json};

use conversation::{Conversation, asks_by_tool};
use decide::{Action, Situation};
use text::head;

/// Under WhatsApp's limit of 4,096 characters, with room for the label.
const LONGEST_TEXT: usize = 3_000;

pub fn provider() -> Provider {
    let choice = ModelChoice { provider: "Rehearsal".to_owned(), model: "built-in".to_owned() };
    let function = InProcess::new(|(request, _)| Box::pin(async move { Ok(answer(&request)) }));
    Provider::InProcess(InProcessModel::new(choice, function))
}

/// Answers a request with a text or one call of an offered tool.
pub fn answer(request: &ModelRequest) -> ModelResponse {
    let (text, call) = match test_run::answer(request) {
        Some(call) => (None, Some(call)),
        None => agent(request),
    };
    let id = format!("call_{}", request.messages.len());
    let calls = call.map(|(name, arguments)| ToolCall { id, name, arguments });
    let mut response = ModelResponse { text, tool_calls: calls.into_iter().collect(), ..ModelResponse::default() };
    response.model = "rehearsal".to_owned();
    response.usage = Usage { input_tokens: tokens(request), output_tokens: tokens(&response), cached_tokens: 0 };
    response
}

fn agent(request: &ModelRequest) -> (Option<String>, Option<(String, Value)>) {
    let conversation = Conversation::read(request);
    let language = language::detect(conversation.contact_texts());
    let action = Situation::new(request, &conversation, language).decide();
    match action {
        Action::Move { to, reason } => {
            (None, Some((MOVE_TO_NEXT_NODE.to_owned(), json!({"next_node": to, "reason": reason}))))
        }
        Action::Call { tool, arguments } => (None, Some((tool.to_owned(), Value::Object(arguments)))),
        Action::Say(text) => {
            let mut text = head(&text, LONGEST_TEXT).to_owned();
            // The first text of a conversation says what answers.
            if !conversation.agent_texts().any(|text| language::contains_phrase(text, phrases::LABEL)) {
                text = format!("{text}\n{}", language.pick(phrases::LABEL));
            }
            match asks_by_tool(request) {
                true => (None, Some((ASK_USER_FOR_INPUT.to_owned(), json!({"message": text})))),
                false => (Some(text), None),
            }
        }
    }
}

/// An estimate: four bytes of JSON are a token.
fn tokens(value: &impl serde::Serialize) -> u64 {
    let bytes = serde_json::to_vec(value).map_or(0, |json| json.len());
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}
