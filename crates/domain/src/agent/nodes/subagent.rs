//! Settings of a SubagentNode: any number of webhooks, knowledge bases, MCP servers and templates.

use super::knowledge_base::KnowledgeBase;
use super::mcp_server::McpServer;
use super::webhook::{Webhook, request_tool_name};
use super::whatsapp_template::WhatsappTemplate;
use crate::agent::codes;
use crate::agent::names::check_tool_name;
use crate::agent::read::{Fields, Findings, each, short};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subagent {
    /// One tool each.
    pub webhooks: Vec<Webhook>,
    /// Searched by `kb_retrieval`.
    pub knowledge_bases: Vec<KnowledgeBase>,
    /// Each offers the tools that it lists.
    pub mcp_servers: Vec<McpServer>,
    /// Sent by `SendWhatsappTemplateMessage`.
    pub whatsapp_templates: Vec<WhatsappTemplate>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

impl Subagent {
    /// Number of tools and servers.
    pub fn len(&self) -> usize {
        self.webhooks.len() + self.knowledge_bases.len() + self.mcp_servers.len() + self.whatsapp_templates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] = &["webhooks", "knowledge_bases", "mcp_servers", "whatsapp_templates"];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        let mut names = Names::default();
        let mut subagent = Self::default();
        for (value, at) in each(&mut fields, "webhooks", found) {
            if let Some(webhook) = Webhook::read(value, &at, true, found) {
                let name = webhook.name.as_deref().unwrap_or_default();
                names.check(name, &request_tool_name(name), &at, found);
                subagent.webhooks.push(webhook);
            }
        }
        let mut keys = HashMap::new();
        for (value, at) in each(&mut fields, "knowledge_bases", found) {
            if let Some(base) = KnowledgeBase::read(value, &at, None, found) {
                names.check(base.name.as_deref().unwrap_or_default(), "", &at, found);
                base.check_key(&at, &mut keys, found);
                subagent.knowledge_bases.push(base);
            }
        }
        for (value, at) in each(&mut fields, "mcp_servers", found) {
            if let Some(server) = McpServer::read(value, &at, found) {
                names.check(&server.name, "", &at, found);
                subagent.mcp_servers.push(server);
            }
        }
        for (value, at) in each(&mut fields, "whatsapp_templates", found) {
            if let Some(template) = WhatsappTemplate::read(value, &at, true, found) {
                names.check(template.name.as_deref().unwrap_or_default(), "", &at, found);
                subagent.whatsapp_templates.push(template);
            }
        }
        subagent.extra = fields.rest();
        Some(subagent)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("webhooks".into(), self.webhooks.iter().map(Webhook::to_json).collect());
        out.insert("knowledge_bases".into(), self.knowledge_bases.iter().map(KnowledgeBase::to_json).collect());
        out.insert("mcp_servers".into(), self.mcp_servers.iter().map(McpServer::to_json).collect());
        out.insert(
            "whatsapp_templates".into(),
            self.whatsapp_templates.iter().map(WhatsappTemplate::to_json).collect(),
        );
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}

/// Names of a node's tools.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    /// Checks a tool's name, and the name that the model sees if it is another one.
    fn check(&mut self, name: &str, shown: &str, at: &str, found: &mut Findings) {
        if name.trim().is_empty() {
            return;
        }
        let at = format!("{at}/name");
        check_tool_name(name, shown, &at, found);
        if !self.0.insert(name.to_ascii_lowercase()) {
            let message = format!("this node already has a tool '{}'; case does not count", short(name));
            found.error(at, codes::DUPLICATE_TOOL_NAME, message);
        }
    }
}
