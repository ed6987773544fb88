//! An agent made ready to run: its graph looked up by name and the tools of each node built once.

use crate::{history, knowledge::Knowledge, limits::Limits, tools};
use domain::{
    agent::{
        END, Graph, KnowledgeBase, LlmConfig, Node, NodeKind, RetryConfig, START, Webhook, WhatsappTemplate,
        compile_schema, request_tool_name,
    },
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
    llm: LlmConfig,
    nodes: HashMap<String, CompiledNode>,
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
    validators: HashMap<String, jsonschema::Validator>,
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
    /// Makes an agent ready.
    pub fn new(content: &AgentContent) -> Result<Self, CannotRun> {
        let mut graph = Graph::from_canonical(&content.graph).map_err(|problems| {
            CannotRun(
                problems
                    .first()
                    .map_or_else(|| "the graph cannot be read".into(), |p| format!("{}: {}", p.path, p.message)),
            )
        })?;
        let mut agent = Self {
            system_prompt: content.system_prompt.clone(),
            version: if content.agent_version == 1 { AgentVersion::V1 } else { AgentVersion::V2 },
            limits: content.limits.clone(),
            mock_only_in_tests: content.mock_only_in_tests,
            llm: content.llm_config.as_ref().map(LlmConfig::read).unwrap_or_default(),
            nodes: HashMap::new(),
        };
        let knowledge: Vec<_> = graph.nodes.iter_mut().map(take_knowledge).collect();
        for (node, knowledge) in graph.nodes.iter().zip(knowledge) {
            let compiled =
                CompiledNode { knowledge, ..CompiledNode::new(&graph, node, &agent, &content.enabled_tools)? };
            agent.nodes.insert(node.name.clone(), compiled);
        }
        Ok(agent)
    }

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
    fn new(graph: &Graph, node: &Node, agent: &Compiled, enabled: &[String]) -> Result<Self, CannotRun> {
        let mut targets = Vec::new();
        for edge in graph.edges_from(&node.id) {
            if let Some(target) = graph.node_by_id(&edge.to) {
                let name = target.name.clone();
                targets.push(Target { node: name.clone(), name, condition: edge.label.clone(), global: false });
            }
        }
        let ordinary = node.name != START && node.name != END && node.global.is_none();
        for global in graph.nodes.iter().filter(|other| ordinary && other.global.is_some()) {
            let name = format!("use_{}__at__{}", global.name, node.name);
            targets.push(Target { name, node: global.name.clone(), condition: global.global.clone(), global: true });
        }
        let webhooks = webhooks_of(node);
        let tools = tools::of_node(node, agent.version, &webhooks, enabled);
        let mut validators = HashMap::new();
        for tool in &tools {
            let validator =
                compile_schema(&tool.parameters).map_err(|error| CannotRun(format!("{}: {error}", tool.name)))?;
            validators.insert(tool.name.clone(), validator);
        }
        let webhooks = webhooks.into_iter().collect();
        let llm = node.llm_config.as_ref().map(LlmConfig::read).unwrap_or_default().over(&agent.llm);
        let retry = RetryConfig::read(node.retry_config.as_ref());
        let tokens = tools.iter().map(|tool| history::tokens(&tool.parameters.to_string()));
        let tokens = tokens.fold(history::tokens(&node.prompt), u32::saturating_add);
        let knowledge = Vec::new();
        Ok(Self { node: node.clone(), targets, tools, webhooks, knowledge, retry, llm, tokens, validators })
    }

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
        match &self.node.kind {
            NodeKind::WhatsappTemplate(template) => std::slice::from_ref(template),
            NodeKind::Subagent(subagent) => &subagent.whatsapp_templates,
            _ => &[],
        }
    }

    /// The schema check of a tool that the node offers.
    pub fn validator(&self, tool: &str) -> Option<&jsonschema::Validator> {
        self.validators.get(tool)
    }
}

/// The node's knowledge bases; their texts, which are long, stay in no other place.
fn take_knowledge(node: &mut Node) -> Vec<Arc<Knowledge>> {
    let bases = match &mut node.kind {
        NodeKind::KnowledgeBase(base) => std::slice::from_mut(base),
        NodeKind::Subagent(subagent) => &mut subagent.knowledge_bases,
        _ => &mut [],
    };
    bases.iter_mut().map(|base: &mut KnowledgeBase| Arc::new(Knowledge::take(base))).collect()
}

fn webhooks_of(node: &Node) -> Vec<(String, Webhook)> {
    match &node.kind {
        NodeKind::Webhook(webhook) => vec![(request_tool_name(&node.name), webhook.clone())],
        NodeKind::Subagent(subagent) => subagent
            .webhooks
            .iter()
            .map(|webhook| (request_tool_name(webhook.name.as_deref().unwrap_or_default()), webhook.clone()))
            .collect(),
        _ => Vec::new(),
    }
}
