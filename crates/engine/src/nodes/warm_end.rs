//! WarmEndNode: closes the conversation, and ends by itself when nobody answers for a while.

use crate::{compile::Compiled, prompt};
use domain::{Span, agent::NodeKind};

/// How long a rest in this node may last; `None` for other types.
pub(crate) fn patience(agent: &Compiled, node: &str) -> Option<Span> {
    match agent.node(node)?.node.kind {
        NodeKind::WarmEnd { timeout_minutes } => Some(Span::from_mins(i64::from(timeout_minutes))),
        _ => None,
    }
}

pub(super) fn step_prompt() -> String {
    prompt::without_comments(include_str!("../../prompts/warm_end.md"))
}
