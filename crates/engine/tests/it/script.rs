//! Scripted answers of the model, and other short inputs.

use domain::{
    chat::{ModelResponse, ToolCall},
    execution::ExecutionInput,
};
use engine::{Input, SendOutcome};
use serde_json::{Value, json};

pub fn text(text: &str) -> ModelResponse {
    ModelResponse { text: Some(text.into()), ..ModelResponse::default() }
}

pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> ModelResponse {
    ModelResponse { tool_calls: calls.into_iter().collect(), ..ModelResponse::default() }
}

pub fn text_and(words: &str, called: impl IntoIterator<Item = ToolCall>) -> ModelResponse {
    ModelResponse { text: Some(words.into()), ..calls(called) }
}

pub fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall { id: "same".into(), name: name.into(), arguments }
}

pub fn note(message: &str) -> ToolCall {
    call("send_notification_to_user", json!({"message": message}))
}

pub fn go(node: &str) -> ToolCall {
    call("MoveToNextNode", json!({"next_node": node, "reason": "it fits"}))
}

pub fn wait() -> ToolCall {
    call("WaitForUser", json!({}))
}

pub fn ask(message: &str) -> ToolCall {
    call("AskUserForInput", json!({"message": message}))
}

pub fn idle(message: &str) -> ToolCall {
    call("EnterIdleState", json!({"message": message}))
}

pub fn metadata() -> ToolCall {
    call("get_execution_metadata", json!({}))
}

pub fn accepted() -> SendOutcome {
    SendOutcome::Accepted { message_id: "m".into() }
}

pub fn refused(code: &str) -> SendOutcome {
    SendOutcome::Failed { code: code.into(), message: "WhatsApp refused it".into() }
}

pub fn stop() -> Input {
    Input::Stop { id: "stop".into(), reason: "by hand".into() }
}

pub fn user_input(text: &str) -> Option<ExecutionInput> {
    Some(ExecutionInput::UserInput { text: text.into() })
}
