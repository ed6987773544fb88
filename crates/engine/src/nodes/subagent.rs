//! SubagentNode: several tools at hand.

use super::{knowledge_base, webhook, whatsapp_template};
use crate::prompt;
use domain::agent::{Subagent, request_tool_name};
use std::fmt::Write as _;

pub(super) fn unsupported(subagent: &Subagent) -> Option<&'static str> {
    match () {
        () if !subagent.mcp_servers.is_empty() => Some("an MCP server of a SubagentNode"),
        () => None,
    }
}

pub(super) fn step_prompt(subagent: &Subagent) -> Option<String> {
    if subagent.webhooks.is_empty() && subagent.knowledge_bases.is_empty() && subagent.whatsapp_templates.is_empty() {
        return None;
    }
    let mut text = prompt::without_comments(include_str!("../../prompts/subagent.md"));
    if !subagent.webhooks.is_empty() {
        text.push_str("\n## Tools of this step\n");
    }
    for settings in &subagent.webhooks {
        let tool = request_tool_name(settings.name.as_deref().unwrap_or_default());
        let _ = writeln!(text, "- {tool}: {}", webhook::in_words(settings));
    }
    if !subagent.knowledge_bases.is_empty() {
        let _ = write!(text, "\n{}", knowledge_base::step_prompt(&subagent.knowledge_bases, None));
    }
    if !subagent.whatsapp_templates.is_empty() {
        let _ = write!(text, "\n{}", whatsapp_template::step_prompt(&subagent.whatsapp_templates));
    }
    Some(text)
}
