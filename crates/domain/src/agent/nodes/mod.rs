//! The node types as one table: stored name, settings, reader and rules of each.
//!
//! A new type is a variant of [`NodeKind`], an entry of [`NODE_TYPES`], and the arms that the compiler then asks for.

mod handoff;
mod knowledge_base;
mod mcp_server;
mod subagent;
mod warm_end;
mod webhook;
mod whatsapp_template;

pub use self::handoff::Handoff;
pub use self::knowledge_base::KnowledgeBase;
pub use self::mcp_server::{McpServer, ToolQuery, Transport};
pub use self::subagent::Subagent;
pub use self::warm_end::WarmEnd;
pub use self::webhook::{HttpMethod, Webhook, request_tool_name};
pub use self::whatsapp_template::WhatsappTemplate;

use super::read::Findings;
use serde_json::Value;
use std::slice;

/// A node's type, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Talks.
    Default,
    /// Talks, with any number of tools of its own.
    Subagent(Subagent),
    /// Talks, with one webhook.
    Webhook(Webhook),
    /// Talks, with one knowledge base.
    KnowledgeBase(KnowledgeBase),
    /// Talks, with one WhatsApp template.
    WhatsappTemplate(WhatsappTemplate),
    /// Gives the conversation to people; no model is asked here.
    Handoff(Handoff),
    /// Closes the conversation unless the contact writes in time.
    WarmEnd(WarmEnd),
}

/// One node type.
#[derive(Debug)]
pub struct NodeType {
    /// `type` as stored.
    pub name: &'static str,
    /// Another accepted spelling.
    pub alias: Option<&'static str>,
    /// Key of the settings in a node's JSON; the default type has none.
    pub settings: Option<&'static str>,
    /// A node of this type without settings is an error.
    pub settings_required: bool,
    /// The conversation may end here: a node without outgoing edges is no dead end.
    pub may_end: bool,
    /// The node itself becomes a tool named `<node name>_request`.
    pub named_tool: bool,
    pub(super) read: Reader,
}

/// Reads settings: the value, its place, the node's name.
type Reader = fn(Value, &str, &str, &mut Findings) -> Option<NodeKind>;

const PLAIN: NodeType = NodeType {
    name: "DefaultNode",
    alias: None,
    settings: None,
    settings_required: false,
    may_end: false,
    named_tool: false,
    read: |_, _, _, _| Some(NodeKind::Default),
};

static DEFAULT: NodeType = PLAIN;

static SUBAGENT: NodeType = NodeType {
    name: "SubagentNode",
    settings: Some("subagent"),
    read: |value, at, _, found| Subagent::read(value, at, found).map(NodeKind::Subagent),
    ..PLAIN
};

static WEBHOOK: NodeType = NodeType {
    name: "WebhookNode",
    settings: Some("webhook"),
    settings_required: true,
    named_tool: true,
    read: |value, at, _, found| Webhook::read(value, at, false, found).map(NodeKind::Webhook),
    ..PLAIN
};

static KNOWLEDGE_BASE: NodeType = NodeType {
    name: "KnowledgeBaseNode",
    settings: Some("knowledge_base"),
    settings_required: true,
    read: |value, at, node, found| KnowledgeBase::read(value, at, Some(node), found).map(NodeKind::KnowledgeBase),
    ..PLAIN
};

static WHATSAPP_TEMPLATE: NodeType = NodeType {
    name: "WhatsappTemplateNode",
    alias: Some("WhatsAppTemplateNode"),
    settings: Some("whatsapp_template"),
    settings_required: true,
    read: |value, at, _, found| WhatsappTemplate::read(value, at, false, found).map(NodeKind::WhatsappTemplate),
    ..PLAIN
};

static HANDOFF: NodeType = NodeType {
    name: "HandoffNode",
    settings: Some("handoff"),
    may_end: true,
    read: |value, at, _, found| Handoff::read(value, at, found).map(NodeKind::Handoff),
    ..PLAIN
};

static WARM_END: NodeType = NodeType {
    name: "WarmEndNode",
    settings: Some("warm_end"),
    settings_required: true,
    may_end: true,
    read: |value, at, _, found| WarmEnd::read(value, at, found).map(NodeKind::WarmEnd),
    ..PLAIN
};

/// Every type, the default first.
pub static NODE_TYPES: [&NodeType; 7] =
    [&DEFAULT, &SUBAGENT, &WEBHOOK, &KNOWLEDGE_BASE, &WHATSAPP_TEMPLATE, &HANDOFF, &WARM_END];

/// Tools that a node brings besides the built-in ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeTools<'a> {
    /// One `<name>_request` tool each.
    pub webhooks: &'a [Webhook],
    /// Searched by `kb_retrieval`.
    pub knowledge_bases: &'a [KnowledgeBase],
    /// Each offers the tools that it lists.
    pub mcp_servers: &'a [McpServer],
    /// Sent by `SendWhatsappTemplateMessage`.
    pub templates: &'a [WhatsappTemplate],
}

impl NodeType {
    pub fn named(name: &str) -> Option<&'static Self> {
        NODE_TYPES.into_iter().find(|known| known.name == name || known.alias == Some(name))
    }
}

impl NodeKind {
    /// The entry of the table.
    pub fn node_type(&self) -> &'static NodeType {
        match self {
            Self::Default => &DEFAULT,
            Self::Subagent(_) => &SUBAGENT,
            Self::Webhook(_) => &WEBHOOK,
            Self::KnowledgeBase(_) => &KNOWLEDGE_BASE,
            Self::WhatsappTemplate(_) => &WHATSAPP_TEMPLATE,
            Self::Handoff(_) => &HANDOFF,
            Self::WarmEnd(_) => &WARM_END,
        }
    }

    pub fn tools(&self) -> NodeTools<'_> {
        let none = NodeTools::default();
        match self {
            Self::Default | Self::Handoff(_) | Self::WarmEnd(_) => none,
            Self::Webhook(webhook) => NodeTools { webhooks: slice::from_ref(webhook), ..none },
            Self::KnowledgeBase(base) => NodeTools { knowledge_bases: slice::from_ref(base), ..none },
            Self::WhatsappTemplate(template) => NodeTools { templates: slice::from_ref(template), ..none },
            Self::Subagent(subagent) => NodeTools {
                webhooks: &subagent.webhooks,
                knowledge_bases: &subagent.knowledge_bases,
                mcp_servers: &subagent.mcp_servers,
                templates: &subagent.whatsapp_templates,
            },
        }
    }

    /// Tools that count towards the limit of a graph. One that is the node itself is limited by the number of nodes.
    pub(super) fn listed_tools(&self) -> usize {
        match self {
            Self::Subagent(subagent) => subagent.len(),
            Self::Default
            | Self::Webhook(_)
            | Self::KnowledgeBase(_)
            | Self::WhatsappTemplate(_)
            | Self::Handoff(_)
            | Self::WarmEnd(_) => 0,
        }
    }

    /// The knowledge bases, for taking their long texts out.
    pub fn knowledge_bases_mut(&mut self) -> &mut [KnowledgeBase] {
        match self {
            Self::KnowledgeBase(base) => slice::from_mut(base),
            Self::Subagent(subagent) => &mut subagent.knowledge_bases,
            Self::Default | Self::Webhook(_) | Self::WhatsappTemplate(_) | Self::Handoff(_) | Self::WarmEnd(_) => {
                &mut []
            }
        }
    }

    pub(super) fn settings_json(&self) -> Option<Value> {
        match self {
            Self::Default => None,
            Self::Subagent(subagent) => Some(subagent.to_json()),
            Self::Webhook(webhook) => Some(webhook.to_json()),
            Self::KnowledgeBase(base) => Some(base.to_json()),
            Self::WhatsappTemplate(template) => Some(template.to_json()),
            Self::Handoff(handoff) => Some(handoff.to_json()),
            Self::WarmEnd(warm_end) => Some(warm_end.to_json()),
        }
    }
}
