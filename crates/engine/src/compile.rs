//! Makes an agent ready to run: indexes its graph by name and builds the tools of each node once.

use crate::{
    agent::{AgentContent, AgentVersion, CompileError, Compiled, CompiledNode, Target},
    knowledge::Knowledge,
    nodes, tokens, tools,
};
use domain::agent::{END, Graph, LlmConfig, Node, RetryConfig, START, Webhook, request_tool_name};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

impl Compiled {
    pub fn new(content: &AgentContent) -> Result<Self, CompileError> {
        let mut graph = Graph::from_canonical(&content.graph).map_err(|problems| {
            CompileError(
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
        // Each condition once, however many nodes lead there.
        let globals: Vec<(&str, Arc<str>)> = graph
            .global_nodes()
            .filter_map(|node| Some((node.name.as_str(), node.global.as_deref()?.into())))
            .collect();
        for (node, knowledge) in graph.nodes.iter().zip(knowledge) {
            let compiled = CompiledNode {
                knowledge,
                ..CompiledNode::new(&graph, node, &globals, &agent, &content.enabled_tools)?
            };
            agent.nodes.insert(node.name.clone(), compiled);
        }
        Ok(agent)
    }
}

impl CompiledNode {
    fn new(
        graph: &Graph,
        node: &Node,
        globals: &[(&str, Arc<str>)],
        agent: &Compiled,
        enabled: &[String],
    ) -> Result<Self, CompileError> {
        let mut targets = Vec::new();
        for edge in graph.edges_from(&node.id) {
            if let Some(target) = graph.node_by_id(&edge.to) {
                let name = target.name.clone();
                targets.push(Target {
                    node: name.clone(),
                    name,
                    condition: edge.label.as_deref().map(Arc::from),
                    global: false,
                });
            }
        }
        let ordinary = node.name != START && node.name != END && node.global.is_none();
        for (global, condition) in globals.iter().filter(|_| ordinary) {
            let name = format!("use_{global}__at__{}", node.name);
            targets.push(Target { name, node: (*global).into(), condition: Some(condition.clone()), global: true });
        }
        let webhooks = webhooks_of(node);
        let behaviour = nodes::behaviour(node);
        let tools = tools::of_node(node, &behaviour, agent.version, &webhooks, enabled);
        let mocked = webhooks.iter().filter(|(_, webhook)| webhook.mock_response_enabled);
        let mock_results = mocked.map(|(name, _)| (name.clone(), OnceLock::new())).collect();
        let webhooks = webhooks.into_iter().collect();
        let llm = node.llm_config.as_ref().map(LlmConfig::read).unwrap_or_default().over(&agent.llm);
        let retry = RetryConfig::read(node.retry_config.as_ref());
        let tokens = tools.iter().map(|tool| tokens::of_text(&tool.parameters.to_string()));
        let tokens = tokens.fold(tokens::of_text(&node.prompt), u32::saturating_add);
        let knowledge = Vec::new();
        Ok(Self {
            node: node.clone(),
            targets,
            tools,
            webhooks,
            knowledge,
            retry,
            llm,
            tokens,
            behaviour,
            mock_results,
        })
    }
}

/// Takes the knowledge texts, which are long, out of the settings.
fn take_knowledge(node: &mut Node) -> Vec<Arc<Knowledge>> {
    node.kind.knowledge_bases_mut().iter_mut().map(|base| Arc::new(Knowledge::take(base))).collect()
}

/// Webhooks by tool name: a subagent's by their own names, a WebhookNode's by the node's name.
fn webhooks_of(node: &Node) -> Vec<(String, Webhook)> {
    let named = |webhook: &Webhook| request_tool_name(webhook.name.as_deref().unwrap_or(&node.name));
    node.kind.tools().webhooks.iter().map(|webhook| (named(webhook), webhook.clone())).collect()
}
