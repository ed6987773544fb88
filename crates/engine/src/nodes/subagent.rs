//! SubagentNode: several tools.

use super::{behaviour::Behaviour, knowledge_base, webhook, whatsapp_template};
use crate::text::without_comments;
use domain::agent::{McpServer, Subagent, request_tool_name};
use std::fmt::Write as _;

pub(super) fn behaviour(subagent: &Subagent) -> Behaviour {
    Behaviour { step_prompt: step_prompt(subagent), ..Behaviour::default() }
}

fn step_prompt(subagent: &Subagent) -> Option<String> {
    if subagent.is_empty() {
        return None;
    }
    let mut text = without_comments(include_str!("../../prompts/subagent.md"));
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
    if !subagent.mcp_servers.is_empty() {
        let _ = write!(text, "\n{}", mcp_servers(&subagent.mcp_servers));
    }
    if !subagent.whatsapp_templates.is_empty() {
        let _ = write!(text, "\n{}", whatsapp_template::step_prompt(&subagent.whatsapp_templates));
    }
    Some(text)
}

/// Lists the servers with the descriptions from the settings.
fn mcp_servers(servers: &[McpServer]) -> String {
    let mut text = String::from("## MCP servers\n");
    text.push_str(&without_comments(include_str!("../../prompts/mcp.md")));
    for server in servers {
        let what = server.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let _ = match what {
            Some(what) => writeln!(text, "- {}: {what}", server.name),
            None => writeln!(text, "- {}", server.name),
        };
    }
    text
}
