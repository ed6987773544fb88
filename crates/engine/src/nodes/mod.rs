//! Node types: one file each. A new type is a variant in `domain`, a file here and a line in the table below.

pub(crate) mod handoff;
mod knowledge_base;
mod subagent;
pub(crate) mod warm_end;
mod webhook;
mod whatsapp_template;

use domain::agent::{Node, NodeKind};

/// What a type adds to the step prompt.
pub(crate) fn step_prompt(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Webhook(settings) => Some(webhook::step_prompt(&node.name, settings)),
        NodeKind::Subagent(subagent) => subagent::step_prompt(subagent),
        NodeKind::KnowledgeBase(base) => {
            Some(knowledge_base::step_prompt(std::slice::from_ref(base), node.description.as_deref()))
        }
        NodeKind::WhatsappTemplate(template) => Some(whatsapp_template::step_prompt(std::slice::from_ref(template))),
        NodeKind::WarmEnd { .. } => Some(warm_end::step_prompt()),
        _ => None,
    }
}
