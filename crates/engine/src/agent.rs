//! An agent that is ready to run: its graph by name, and the tools of each node.

use crate::{knowledge::Knowledge, limits::Limits, nodes::Behaviour, state::State};
use domain::{
    agent::{LlmConfig, McpServer, Node, RetryConfig, START, Webhook, WhatsappTemplate},
    chat::ToolSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc};

/// What an execution pins of its agent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentContent {
    /// Instructions for every node.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub system_prompt: Option<String>,
    /// How it speaks: 1 through tools only, anything else (2) by plain text as well.
    pub agent_version: i64,
    /// Canonical graph JSON.
    pub graph: Value,
    /// Which model is asked, unless a node says otherwise. Holds no key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub llm_config: Option<Map<String, Value>>,
    /// Its own limits.
    #[serde(skip_serializing_if = "Limits::is_default", default)]
    pub limits: Limits,
    /// Tools that are off unless they are named here: `webhook_request`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub enabled_tools: Vec<String>,
    /// In a test a webhook without a mock makes no request.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mock_only_in_tests: bool,
}

/// How an agent speaks with its contact (engine.md 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentVersion {
    /// Only tools reach the contact; plain text is private.
    V1,
    /// Plain text is said.
    V2,
}

/// An agent that can run.
#[derive(Debug)]
pub struct Compiled {
    /// Instructions for every node.
    pub system_prompt: Option<String>,
    /// How it speaks.
    pub version: AgentVersion,
    /// Where its turns end.
    pub limits: Limits,
    /// In a test a webhook without a mock makes no request.
    pub mock_only_in_tests: bool,
    pub(crate) llm: LlmConfig,
    pub(crate) nodes: HashMap<String, CompiledNode>,
}

/// One node and what it offers.
#[derive(Debug)]
pub struct CompiledNode {
    /// The node.
    pub node: Node,
    /// Where it may lead, with the condition.
    pub targets: Vec<Target>,
    /// What the model is offered here.
    pub tools: Vec<ToolSpec>,
    /// The webhooks behind `*_request` tools, by tool name.
    pub webhooks: HashMap<String, Webhook>,
    /// What `kb_retrieval` searches here.
    pub knowledge: Vec<Arc<Knowledge>>,
    /// How often a failing model is asked again.
    pub retry: RetryConfig,
    /// Which model is asked.
    pub llm: LlmConfig,
    /// What its prompt and tools take of each question, in tokens.
    pub(crate) tokens: u32,
    /// What its type does differently.
    pub(crate) behaviour: Behaviour,
    pub(crate) validators: HashMap<String, jsonschema::Validator>,
}

/// A place that a node may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What the model writes: a node's name, or a global node's access name.
    pub name: String,
    /// The node.
    pub node: String,
    /// When to go there, in words.
    pub condition: Option<String>,
    /// It is a global node's.
    pub global: bool,
}

/// Why an agent cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotRun(pub String);

impl Compiled {
    /// An agent without nodes: what stands in for one that cannot run.
    pub(crate) fn empty() -> Self {
        Self {
            system_prompt: None,
            version: AgentVersion::V2,
            limits: Limits::default(),
            mock_only_in_tests: false,
            llm: LlmConfig::default(),
            nodes: HashMap::new(),
        }
    }

    /// Whether only tools reach the contact.
    pub fn speaks_by_tools(&self) -> bool {
        self.version == AgentVersion::V1
    }

    /// Bytes of all its knowledge texts.
    pub fn knowledge_bytes(&self) -> usize {
        self.nodes.values().flat_map(|node| &node.knowledge).map(|base| base.text.len()).sum()
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&CompiledNode> {
        self.nodes.get(name)
    }

    /// Where `__start__` leads.
    pub fn first(&self) -> Option<&str> {
        self.node(START)?.targets.first().map(|target| target.node.as_str())
    }

    /// True for a node whose visits rest for a person.
    pub(crate) fn is_handoff(&self, name: &str) -> bool {
        self.node(name).is_some_and(|node| node.behaviour.hands_off)
    }

    /// The MCP servers of the node of this name.
    pub(crate) fn mcp_servers(&self, name: &str) -> &[McpServer] {
        self.node(name).map_or(&[], |node| node.node.kind.tools().mcp_servers)
    }

    /// The places that a visit may lead to. A visit of a global node leads back to where it was entered from and along
    /// its own edges, and no other global node is offered from it (engine.md 2.5).
    pub fn targets(&self, node: &str, triggering: Option<&str>) -> Vec<Target> {
        let Some(compiled) = self.node(node) else { return Vec::new() };
        let Some(origin) = triggering else { return compiled.targets.clone() };
        let back = Target {
            name: origin.into(),
            node: origin.into(),
            condition: Some("this is done; go back".into()),
            global: false,
        };
        let own = compiled.targets.iter().filter(|target| target.node != origin);
        std::iter::once(back).chain(own.cloned()).collect()
    }
}

impl CompiledNode {
    /// The knowledge base of this key; case does not count, as no two keys of a node differ by it alone.
    pub fn knowledge(&self, key: &str) -> Option<&Arc<Knowledge>> {
        self.knowledge.iter().find(|base| base.key.eq_ignore_ascii_case(key))
    }

    /// The keys that the model may name.
    pub(crate) fn knowledge_keys(&self) -> Vec<&str> {
        self.knowledge.iter().map(|base| base.key.as_str()).collect()
    }

    /// The WhatsApp templates that may be sent here.
    pub fn templates(&self) -> &[WhatsappTemplate] {
        self.node.kind.tools().templates
    }

    /// The tools that the model is offered in this node: its own, and those of the MCP servers that were asked.
    pub(crate) fn offered<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a ToolSpec> {
        self.tools.iter().chain(state.offers().iter().map(|offer| &offer.spec))
    }

    /// The schema check of a tool that the node offers.
    pub fn validator(&self, tool: &str) -> Option<&jsonschema::Validator> {
        self.validators.get(tool)
    }
}
