//! How the document describes a graph. These types are never made: `domain::agent::Graph` reads and writes graphs, keeps
//! what it does not know, and names what is wrong.
#![expect(dead_code, reason = "described, never made")]

use crate::api::words;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An agent's graph. Keys that the server does not know are kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentGraph {
    nodes: Vec<GraphNode>,
    edges: Vec<GraphEdge>,
    tools: Vec<GraphTool>,
    metadata: Map<String, Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A graph as it is sent; it replaces the whole graph. At most 300 nodes, 2,000 edges and 10 MiB.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentGraphInput {
    #[schema(max_items = 300, required = false)]
    nodes: Vec<GraphNodeInput>,
    #[schema(max_items = 2000, required = false)]
    edges: Vec<GraphEdge>,
    #[schema(max_items = 200, required = false)]
    tools: Vec<GraphTool>,
    #[schema(required = false)]
    metadata: Map<String, Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A step of the graph.
#[derive(Serialize, ToSchema)]
struct GraphNode {
    id: String,
    #[serde(flatten)]
    node: GraphNodeInput,
}

/// A step of the graph as it is sent; without an id its name is its id.
#[derive(Serialize, ToSchema)]
struct GraphNodeInput {
    #[schema(required = false)]
    id: String,
    /// `__start__` and `__end__` are where it begins and ends.
    name: String,
    #[schema(value_type = NodeType)]
    r#type: String,
    /// At most 64 KiB.
    prompt: Option<String>,
    config: Option<Map<String, Value>>,
    /// Reachable from any node.
    #[schema(required = false)]
    global: bool,
    /// When to go to a global node, in plain words.
    global_condition: Option<String>,
    #[schema(required = false)]
    tool_ids: Vec<String>,
    nodeable_id: Option<String>,
    description: Option<String>,
    webhook: Option<NodeWebhook>,
    whatsapp_template: Option<NodeWhatsappTemplate>,
    knowledge_base: Option<NodeKnowledgeBase>,
    handoff: Option<NodeHandoff>,
    warm_end: Option<NodeWarmEnd>,
    subagent: Option<NodeSubagent>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

words!(
    NodeType = "DefaultNode",
    "WebhookNode",
    "WhatsappTemplateNode",
    "KnowledgeBaseNode",
    "HandoffNode",
    "WarmEndNode",
    "SubagentNode"
);

/// A way from one node to another.
#[derive(Serialize, ToSchema)]
struct GraphEdge {
    #[schema(required = false)]
    id: String,
    /// Id or name of the node that it leaves.
    from: String,
    /// Id or name of the node that it leads to.
    to: String,
    /// When to go this way, in plain words.
    label: Option<String>,
    conditions: Option<Map<String, Value>>,
    /// Another spelling of `label`, which counts if both are given.
    condition: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A tool that nodes may name.
#[derive(Serialize, ToSchema)]
struct GraphTool {
    #[schema(required = false)]
    id: String,
    #[schema(required = false)]
    name: String,
    #[schema(required = false)]
    r#type: String,
    description: Option<String>,
    #[schema(required = false)]
    url: String,
    #[schema(required = false)]
    method: String,
    #[schema(required = false)]
    query_params: Map<String, Value>,
    #[schema(required = false)]
    headers: Map<String, Value>,
    #[schema(required = false)]
    body: Map<String, Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// JSON, or JSON written as a text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum JsonOrText {
    Json(Map<String, Value>),
    Text(String),
}

/// The settings of a `WebhookNode`.
#[derive(Serialize, ToSchema)]
struct NodeWebhook {
    #[schema(required = false)]
    nodeable_id: String,
    #[schema(required = false)]
    url: String,
    #[schema(required = false)]
    http_method: String,
    headers: Option<JsonOrText>,
    body: Option<JsonOrText>,
    mock_response: Option<JsonOrText>,
    #[schema(required = false)]
    mock_response_enabled: bool,
    /// `headers` as they were written.
    headers_raw: Option<String>,
    /// `body` as it was written.
    body_raw: Option<String>,
    /// `mock_response` as it was written.
    mock_response_raw: Option<String>,
    /// JSON Schema of the arguments that the model gives.
    body_schema: Option<JsonOrText>,
    /// What to take out of the answer.
    jmespath_query: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The settings of a `WhatsappTemplateNode`.
#[derive(Serialize, ToSchema)]
struct NodeWhatsappTemplate {
    #[schema(required = false)]
    nodeable_id: String,
    #[schema(required = false)]
    name: String,
    #[schema(required = false)]
    phone_number: String,
    template_parameters: Option<Map<String, Value>>,
    #[schema(required = false)]
    whatsapp_node_id: String,
    #[schema(required = false)]
    whatsapp_config_id: String,
    #[schema(required = false)]
    whatsapp_template_id: String,
    #[schema(required = false)]
    wait_for_response: bool,
    #[schema(required = false)]
    template_name: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The settings of a `KnowledgeBaseNode`.
#[derive(Serialize, ToSchema)]
struct NodeKnowledgeBase {
    #[schema(required = false)]
    nodeable_id: String,
    key: Option<String>,
    /// At most 5 MiB.
    knowledge_base_text: Option<String>,
    knowledge_base_file: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The settings of a `HandoffNode`.
#[derive(Serialize, ToSchema)]
struct NodeHandoff {
    #[schema(required = false)]
    nodeable_id: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The settings of a `WarmEndNode`.
#[derive(Serialize, ToSchema)]
struct NodeWarmEnd {
    #[schema(required = false)]
    nodeable_id: String,
    #[schema(required = false, minimum = 0)]
    timeout_minutes: i64,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The tools of a `SubagentNode`, by kind.
#[derive(Serialize, ToSchema)]
struct NodeSubagent {
    #[schema(required = false)]
    webhooks: Vec<NodeTool<NodeWebhook>>,
    #[schema(required = false)]
    knowledge_bases: Vec<NodeTool<NodeKnowledgeBase>>,
    #[schema(required = false)]
    mcp_servers: Vec<NodeTool<McpServer>>,
    #[schema(required = false)]
    whatsapp_templates: Vec<NodeTool<TemplateTool>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A tool of a `SubagentNode`.
#[derive(Serialize, ToSchema)]
struct NodeTool<T> {
    #[schema(required = false)]
    name: String,
    description: Option<String>,
    #[serde(flatten)]
    settings: T,
}

/// A template that the model may send.
#[derive(Serialize, ToSchema)]
struct TemplateTool {
    #[schema(required = false)]
    template_name: String,
    #[schema(required = false)]
    phone_number: String,
    template_parameters: Option<Map<String, Value>>,
    whatsapp_config_id: Option<String>,
    whatsapp_template_id: Option<String>,
    #[schema(required = false)]
    wait_for_response: bool,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A server of the Model Context Protocol.
#[derive(Serialize, ToSchema)]
struct McpServer {
    #[schema(required = false)]
    url: String,
    #[schema(required = false)]
    transport_kind: String,
    #[schema(required = false)]
    jmespath_queries: Vec<McpQuery>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What to take out of the answers of one of the server's tools.
#[derive(Serialize, ToSchema)]
struct McpQuery {
    #[schema(required = false)]
    tool_name: String,
    #[schema(required = false)]
    jmespath_query: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::NODE_TYPES;
    use serde_json::json;
    use std::collections::BTreeSet;
    use utoipa::PartialSchema as _;

    /// Keys of a node that are no settings of a type.
    const OTHER_OBJECTS: [&str; 1] = ["config"];

    #[test]
    fn the_document_lists_the_node_types_of_the_domain() {
        let documented = json!(NodeType::schema())["enum"].clone();
        let documented: BTreeSet<&str> = documented.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(documented, NODE_TYPES.iter().map(|known| known.name).collect());
    }

    #[test]
    fn the_document_describes_the_settings_of_every_node_type() {
        let node = json!(GraphNodeInput::schema());
        let node = node.pointer("/allOf/0").unwrap_or(&node)["properties"].as_object().unwrap();
        let is_object = |schema: &Value| {
            let text = schema.to_string();
            text.contains("$ref") && !text.contains("NodeType")
        };
        let described = node.iter().filter(|(_, schema)| is_object(schema)).map(|(key, _)| key.as_str());
        let described: BTreeSet<&str> = described.filter(|key| !OTHER_OBJECTS.contains(key)).collect();
        assert_eq!(described, NODE_TYPES.iter().filter_map(|known| known.settings).collect());
    }
}
