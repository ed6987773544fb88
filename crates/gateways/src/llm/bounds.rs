//! Size limits of responses: the journal stores them, and each later request sends them again.

use domain::chat::{ModelResponse, ToolCall};
use serde_json::Value;

/// Bytes. A contact is sent at most ten messages of 4,096 characters.
const TEXT: usize = 64 * 1024;
/// Bytes of one call.
const ARGUMENTS: usize = 64 * 1024;
const CALLS: usize = 128;
/// Bytes.
const NAME: usize = 256;

/// Cuts a response to the limits. Arguments that are too long become a cut text, which every tool
/// refuses.
pub(super) fn bounded(mut response: ModelResponse) -> ModelResponse {
    if let Some(text) = &mut response.text {
        cut(text, TEXT);
    }
    if let Some(reasoning) = &mut response.reasoning {
        cut(reasoning, TEXT);
    }
    response.tool_calls.truncate(CALLS);
    for ToolCall { id, name, arguments } in &mut response.tool_calls {
        cut(id, NAME);
        cut(name, NAME);
        if arguments.to_string().len() > ARGUMENTS {
            let mut text = match arguments.take() {
                Value::String(text) => text,
                other => other.to_string(),
            };
            cut(&mut text, ARGUMENTS);
            *arguments = Value::String(text);
        }
    }
    cut(&mut response.model, NAME);
    response
}

fn cut(text: &mut String, longest: usize) {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest));
        text.shrink_to_fit();
        tracing::warn!(longest, "a part of the model's answer was cut");
    }
}
