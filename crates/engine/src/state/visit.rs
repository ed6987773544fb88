//! The visited node.

/// The visit of a node, from a move to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Name of the node.
    pub node: String,
    /// The step prompt is not shown yet.
    pub entering: bool,
    /// For a global node: the node that it was entered from.
    pub triggering_node: Option<String>,
    /// Tools that the model's provider refused; they are not offered.
    pub refused_tools: Vec<String>,
}

/// Data of a handoff, from its reason until the execution has returned from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handoff {
    /// The node to return to.
    pub return_to: Option<String>,
    pub reason: Option<String>,
}
