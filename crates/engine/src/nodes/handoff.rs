//! HandoffNode: a person takes over. No model is asked in it.

use crate::{compile::Compiled, state::InterruptKind, turn::Turn};
use domain::agent::NodeKind;

pub(crate) fn is_handoff(agent: &Compiled, node: &str) -> bool {
    agent.node(node).is_some_and(|node| matches!(node.node.kind, NodeKind::Handoff))
}

/// Rests if the visit is one of a HandoffNode.
pub(crate) fn rests(turn: &mut Turn<'_>) -> bool {
    let rests = is_handoff(turn.agent, &turn.state.node);
    if rests {
        turn.rest(InterruptKind::Handoff, None, None);
    }
    rests
}
