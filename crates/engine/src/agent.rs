//! An agent that is ready to run: its graph by name, and the tools of each node.

use crate::{
    knowledge::Knowledge,
    limits::Limits,
    nodes::Behaviour,
    state::{Pending, State},
    tool_result::{ResultRule, ToolResult},
};
use domain::{
    agent::{LlmConfig, McpServer, Node, RetryConfig, START, Webhook, WhatsappTemplate},
    chat::{ToolCall, ToolSpec},
    json::memory_of,
    tool_request::ToolAnswer,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

/// The parts of an agent that an execution pins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentContent {
    /// Instructions for every node.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub system_prompt: Option<String>,
    /// 1: only tools reach the contact; any other value is 2: plain text is sent as well.
    pub agent_version: i64,
    /// Canonical graph JSON.
    pub graph: Value,
    /// The default model of the nodes. Holds no key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub llm_config: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Limits::is_default", default)]
    pub limits: Limits,
    /// Optional tools that are on: `webhook_request`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub enabled_tools: Vec<String>,
    /// In a test run, a webhook without a mock makes no request.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mock_only_in_tests: bool,
}

/// Speaking rules of an agent (docs/spec/engine.md 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentVersion {
    /// Only tools reach the contact; plain text is private.
    V1,
    /// Plain text is sent.
    V2,
}

/// An agent that can run.
#[derive(Debug)]
pub struct Compiled {
    /// Instructions for every node.
    pub system_prompt: Option<String>,
    pub version: AgentVersion,
    pub limits: Limits,
    /// In a test run, a webhook without a mock makes no request.
    pub mock_only_in_tests: bool,
    pub(crate) llm: LlmConfig,
    pub(crate) nodes: HashMap<String, CompiledNode>,
}

/// A node with everything that its settings lead to.
#[derive(Debug)]
pub struct CompiledNode {
    pub node: Node,
    pub targets: Vec<Target>,
    pub tools: Vec<ToolSpec>,
    /// The webhooks behind `*_request` tools, by tool name.
    pub webhooks: HashMap<String, Webhook>,
    /// Searched by `kb_retrieval`.
    pub knowledge: Vec<Arc<Knowledge>>,
    pub retry: RetryConfig,
    pub llm: LlmConfig,
    /// Tokens that its prompt and tools take of each request.
    pub(crate) tokens: u32,
    /// The behaviour of its type.
    pub(crate) behaviour: Behaviour,
    /// Results of enabled mocks, by tool name, made at the first call.
    pub(crate) mock_results: HashMap<String, OnceLock<ToolResult>>,
}

/// A node that the model may move to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name that the model writes: a node's name, or a global node's access name.
    pub name: String,
    pub node: String,
    /// Condition in words.
    pub condition: Option<Arc<str>>,
    /// The target is a global node.
    pub global: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CompileError(pub String);

impl Compiled {
    /// An agent without nodes, for executions whose agent cannot run.
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

    /// True if only tools reach the contact.
    pub fn sends_only_by_tools(&self) -> bool {
        self.version == AgentVersion::V1
    }

    pub fn node(&self, name: &str) -> Option<&CompiledNode> {
        self.nodes.get(name)
    }

    /// The node that `__start__` leads to.
    pub fn first(&self) -> Option<&str> {
        self.node(START)?.targets.first().map(|target| target.node.as_str())
    }

    /// True for a node whose visits wait for a person.
    pub(crate) fn is_handoff(&self, name: &str) -> bool {
        self.node(name).is_some_and(|node| node.behaviour.hands_off)
    }

    pub(crate) fn mcp_servers(&self, name: &str) -> &[McpServer] {
        self.node(name).map_or(&[], |node| node.node.kind.tools().mcp_servers)
    }

    /// Rule that makes a result from the answer of the pending tool call; `None` if none is pending.
    pub fn pending_result(&self, state: &State) -> Option<ResultRule> {
        let Some(Pending::Tool { call, request, .. }) = state.phase.pending() else { return None };
        Some(self.result_rule(state, call, request.mcp.is_some()))
    }

    pub(crate) fn result_rule(&self, state: &State, call: &ToolCall, mcp: bool) -> ResultRule {
        let query = if mcp { self.mcp_query(state, call) } else { self.webhook_query(state, call) };
        let query = query.filter(|query| !query.trim().is_empty()).map(str::to_owned);
        ResultRule { mcp, query }
    }

    fn webhook_query(&self, state: &State, call: &ToolCall) -> Option<&str> {
        self.node(&state.visit.node)?.webhooks.get(&call.name)?.jmespath_query.as_deref()
    }

    fn mcp_query(&self, state: &State, call: &ToolCall) -> Option<&str> {
        let offer = state.offers().iter().find(|offer| offer.spec.name == call.name)?;
        let server = self.mcp_servers(&state.visit.node).iter().find(|server| server.name == offer.server)?;
        let query = server.jmespath_queries.iter().find(|query| query.tool_name == offer.tool)?;
        query.jmespath_query.as_deref()
    }

    /// Estimated bytes of what compiling adds to the graph: every node with its ways to all global nodes, and the
    /// arguments of its tools.
    pub fn added_bytes(&self) -> usize {
        let of_target = |target: &Target| size_of::<Target>() + 4 * (target.name.len() + target.node.len());
        let of_node = |node: &CompiledNode| {
            node.targets.iter().map(of_target).sum::<usize>()
                + node.tools.iter().map(|tool| memory_of(&tool.parameters)).sum::<usize>()
        };
        self.nodes.values().map(of_node).sum()
    }

    /// Nodes that a visit may lead to. A visit of a global node leads back to its origin and along
    /// its own edges; no other global node is offered from it (docs/spec/engine.md 2.5).
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
    /// Finds a knowledge base by key. Case is ignored: keys of a node differ in more than case.
    pub fn knowledge(&self, key: &str) -> Option<&Arc<Knowledge>> {
        self.knowledge.iter().find(|base| base.key.eq_ignore_ascii_case(key))
    }

    pub(crate) fn knowledge_keys(&self) -> Vec<&str> {
        self.knowledge.iter().map(|base| base.key.as_str()).collect()
    }

    /// WhatsApp templates that may be sent here.
    pub fn templates(&self) -> &[WhatsappTemplate] {
        self.node.kind.tools().templates
    }

    /// Tools offered to the model: the node's own, and those that MCP servers listed.
    pub(crate) fn offered<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a ToolSpec> {
        let refused = &state.visit.refused_tools;
        let all = self.tools.iter().chain(state.offers().iter().map(|offer| &offer.spec));
        all.filter(|tool| !refused.contains(&tool.name))
    }

    /// Result of a webhook's mock; `None` if it has none.
    pub(crate) fn mock_result(&self, tool: &str) -> Option<&ToolResult> {
        let result = self.mock_results.get(tool)?;
        let webhook = self.webhooks.get(tool)?;
        let mock = webhook.mock_response.as_ref()?;
        Some(result.get_or_init(|| {
            let query = webhook.jmespath_query.clone().filter(|query| !query.trim().is_empty());
            let answer = ToolAnswer::Answered { status: 200, content: mock.clone(), truncated: false };
            ResultRule { mcp: false, query }.read(&answer)
        }))
    }
}
