//! Node types: one file each. A new type is a variant in `domain`, a file here and a line in the two tables below.

pub(crate) mod handoff;
mod knowledge_base;
mod subagent;
pub(crate) mod warm_end;
mod webhook;
mod whatsapp_template;

use crate::CannotRun;
use domain::agent::{Node, NodeKind};

/// Whether this engine can run the node at all. A graph is refused when it is saved, so this is for graphs that a newer or
/// older program saved.
pub(crate) fn runnable(node: &Node) -> Result<(), CannotRun> {
    unsupported(node).map_or(Ok(()), |what| Err(CannotRun(format!("node '{}': {what} cannot be run yet", node.name))))
}

/// What a node needs and this engine does not have, if anything.
pub fn unsupported(node: &Node) -> Option<&'static str> {
    match &node.kind {
        NodeKind::Default
        | NodeKind::Webhook(_)
        | NodeKind::KnowledgeBase(_)
        | NodeKind::WhatsappTemplate(_)
        | NodeKind::Handoff
        | NodeKind::WarmEnd { .. } => None,
        NodeKind::Subagent(subagent) => subagent::unsupported(subagent),
    }
}

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
