//! Estimates the usage of an answer whose server counted nothing, so that budgets of tokens hold
//! with every server. The estimate is marked and is part of the journaled answer.

use domain::{
    chat::{ChatMessage, ModelRequest, ModelResponse, ToolCall, Usage},
    picture::PICTURE_TOKENS,
};
use serde_json::Value;

/// Bytes of a token. Providers count differently; this is near enough for limits.
const TOKEN_BYTES: usize = 4;

/// Adds an estimate where no tokens are counted.
pub(super) fn with_usage(request: &ModelRequest, mut response: ModelResponse) -> ModelResponse {
    if response.usage.total() > 0 {
        return response;
    }
    let calls = |calls: &[ToolCall]| calls.iter().map(|call| call.name.len() + written(&call.arguments)).sum::<usize>();
    let message = |message: &ChatMessage| match message {
        ChatMessage::User { content, .. } | ChatMessage::Tool { content, .. } => content.len(),
        ChatMessage::Assistant { content, tool_calls, .. } => {
            content.as_ref().map_or(0, String::len) + calls(tool_calls)
        }
    };
    let tools = request.tools.iter().map(|tool| tool.description.len() + written(&tool.parameters));
    let asked = request.system.len() + request.messages.iter().map(message).sum::<usize>() + tools.sum::<usize>();
    let pictures = response.rendering.as_ref().map_or(0, |rendering| rendering.pictures.len() as u64);
    let texts = [&response.text, &response.reasoning].into_iter().flatten().map(String::len).sum::<usize>();
    response.usage = Usage {
        input_tokens: tokens(asked) + pictures * u64::from(PICTURE_TOKENS),
        output_tokens: tokens(texts + calls(&response.tool_calls)),
        cached_tokens: 0,
    };
    response.usage_estimated = true;
    response
}

fn tokens(bytes: usize) -> u64 {
    (bytes / TOKEN_BYTES + 1) as u64
}

fn written(arguments: &Value) -> usize {
    arguments.as_str().map_or_else(|| domain::json::bytes_of(arguments), str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_usage_is_estimated_and_marked() {
        let messages = vec![ChatMessage::user("x".repeat(400))];
        let request = ModelRequest { messages, ..ModelRequest::default() };
        let answer = ModelResponse { text: Some("y".repeat(80)), ..ModelResponse::default() };
        let estimated = with_usage(&request, answer.clone());
        assert_eq!((estimated.usage.input_tokens, estimated.usage.output_tokens), (101, 21));
        assert!(estimated.usage_estimated);
        let counted = ModelResponse { usage: Usage { input_tokens: 1, ..Usage::default() }, ..answer };
        assert_eq!(with_usage(&request, counted.clone()), counted);
    }
}
