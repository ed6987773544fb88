//! WebhookNode: one HTTP request as a tool. Headers and secrets are never shown to the model.

use super::behaviour::Behaviour;
use domain::agent::{Node, Webhook, request_tool_name};

pub(super) fn behaviour(node: &Node, webhook: &Webhook) -> Behaviour {
    let step_prompt = format!("## Tools of this step\n- {}: {}\n", request_tool_name(&node.name), in_words(webhook));
    Behaviour { step_prompt: Some(step_prompt), ..Behaviour::default() }
}

/// Describes the request for the model: description, method, URL and arguments.
pub(super) fn in_words(settings: &Webhook) -> String {
    let what = settings
        .description
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .unwrap_or("Makes an HTTP request");
    let arguments = settings.argument_names();
    let takes = if arguments.is_empty() { String::new() } else { format!("; takes {}", arguments.join(", ")) };
    format!("{what} ({} {}){takes}", settings.method.as_str(), settings.url)
}
