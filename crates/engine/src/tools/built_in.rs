//! The description of a built-in tool: one value for each, in its own file.

use crate::{
    agent::{AgentVersion, CompiledNode},
    step_builder::StepBuilder,
};
use domain::{
    agent::Node,
    chat::{ToolCall, ToolSpec},
};
use serde_json::{Map, Value};

/// A tool that the engine itself has.
pub(crate) struct BuiltIn {
    /// One of `domain::tool_names`.
    pub name: &'static str,
    /// For the model.
    pub description: &'static str,
    /// JSON Schema of the arguments.
    pub parameters: fn() -> Value,
    /// Decides whether a node offers it. Nodes in which no model is asked never do.
    pub offered: fn(&OfferContext<'_>) -> bool,
    /// Decides whether a call ends the turn or the visit. Limits let such a call through, because the contact has seen
    /// what was said before it.
    pub leads_out: fn(&CompiledNode, &ToolCall) -> bool,
    /// Runs a call whose arguments fit the schema.
    pub run: fn(&mut StepBuilder<'_>, &ToolCall, &Map<String, Value>),
}

/// A node in an agent, when the agent is compiled.
pub(crate) struct OfferContext<'a> {
    pub node: &'a Node,
    pub version: AgentVersion,
    /// Optional tools that the agent turns on.
    pub enabled: &'a [String],
}

impl BuiltIn {
    pub(crate) fn spec(&self) -> ToolSpec {
        ToolSpec { name: self.name.into(), description: self.description.into(), parameters: (self.parameters)() }
    }
}

pub(super) fn always(_: &OfferContext<'_>) -> bool {
    true
}

pub(super) fn stays(_: &CompiledNode, _: &ToolCall) -> bool {
    false
}

pub(super) fn leads_out(_: &CompiledNode, _: &ToolCall) -> bool {
    true
}
