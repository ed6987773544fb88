//! WarmEndNode: closes the conversation, and ends by itself when nobody answers for a while.

use crate::compile::Compiled;
use domain::{Span, agent::NodeKind};

/// How long a rest in this node may last; `None` for other types.
pub(crate) fn patience(agent: &Compiled, node: &str) -> Option<Span> {
    match agent.node(node)?.node.kind {
        NodeKind::WarmEnd { timeout_minutes } => Some(Span::from_mins(i64::from(timeout_minutes))),
        _ => None,
    }
}

pub(super) fn step_prompt() -> String {
    "## Closing\nThis step closes the conversation. Ask whether anything else is needed, or say goodbye, and wait for the reply. If the \
     person says that nothing more is needed, move to the end.\n"
        .into()
}
