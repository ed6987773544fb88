//! Node types: one file each. A new type is a variant in `domain`, a file here and an arm below.

mod behaviour;
mod handoff;
mod knowledge_base;
mod subagent;
mod warm_end;
mod webhook;
mod whatsapp_template;

pub(crate) use behaviour::Behaviour;

use domain::agent::{Node, NodeKind};

pub(crate) fn behaviour(node: &Node) -> Behaviour {
    match &node.kind {
        NodeKind::Default => Behaviour::default(),
        NodeKind::Webhook(webhook) => webhook::behaviour(node, webhook),
        NodeKind::Subagent(subagent) => subagent::behaviour(subagent),
        NodeKind::KnowledgeBase(base) => knowledge_base::behaviour(node, base),
        NodeKind::WhatsappTemplate(template) => whatsapp_template::behaviour(template),
        NodeKind::Handoff(_) => handoff::behaviour(),
        NodeKind::WarmEnd(warm_end) => warm_end::behaviour(warm_end),
    }
}
