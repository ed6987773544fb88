//! Estimates of how many tokens texts take. Providers count differently; four bytes each is near enough for limits.

use domain::{chat::ChatMessage, picture::PICTURE_TOKENS};
use serde_json::Value;

pub(crate) fn of_text(text: &str) -> u32 {
    u32::try_from(text.len() / 4).unwrap_or(u32::MAX)
}

fn of_pictures(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(PICTURE_TOKENS)
}

pub(crate) fn of_entry(message: &ChatMessage) -> u32 {
    let text = match message {
        ChatMessage::User { content, pictures } => of_text(content).saturating_add(of_pictures(pictures.len())),
        ChatMessage::Tool { content, .. } => of_text(content),
        ChatMessage::Assistant { content, tool_calls, opaque } => {
            let said = content.as_deref().map_or(0, of_text);
            let called =
                tool_calls.iter().map(|call| of_text(&call.name).saturating_add(of_text(&written(&call.arguments))));
            let kept = opaque.as_ref().map_or(0, |opaque| of_text(&opaque.parts.to_string()));
            called.fold(said.saturating_add(kept), u32::saturating_add)
        }
    };
    text.saturating_add(8)
}

fn written(arguments: &Value) -> String {
    arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned)
}
