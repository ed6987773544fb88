//! The differences between node types that the engine acts on.

use domain::Span;

/// Behaviour of a node, from its type and settings. The default is that of a DefaultNode.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    /// Added to the step prompt, after the node's own instructions.
    pub step_prompt: Option<String>,
    /// A visit waits for a person and calls no model.
    pub hands_off: bool,
    /// Longest silence of the contact in this node; the usual one where absent.
    pub wait_limit: Option<Span>,
}
