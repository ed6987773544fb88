//! Schema of a graph in the document. These types are never constructed: `domain::agent::Graph`
//! reads and writes graphs, keeps unknown keys and reports problems.
#![expect(dead_code, reason = "described, never made")]

use crate::api::words;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An agent's graph. Unknown keys are kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentGraph {
    nodes: Vec<GraphNode>,
    edges: Vec<GraphEdge>,
    tools: Vec<GraphTool>,
    metadata: Map<String, Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A graph in a request; it replaces the whole graph. At most 300 nodes, 2,000 edges and 10 MiB.
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

/// A node of the graph.
#[derive(Serialize, ToSchema)]
struct GraphNode {
    id: String,
    #[serde(flatten)]
    node: GraphNodeInput,
}

/// A node in a request; its id defaults to its name.
#[derive(Serialize, ToSchema)]
struct GraphNodeInput {
    #[schema(required = false)]
    id: String,
    /// `__start__` and `__end__` are the start and the end.
    name: String,
    #[schema(value_type = NodeType)]
    r#type: String,
    /// At most 64 KiB.
    prompt: Option<String>,
    config: Option<Map<String, Value>>,
    /// Reachable from any node.
    #[schema(required = false)]
    global: bool,
    /// Condition for entering a global node, in plain words.
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

/// An edge between two nodes.
#[derive(Serialize, ToSchema)]
struct GraphEdge {
    #[schema(required = false)]
    id: String,
    /// Id or name of the source node.
    from: String,
    /// Id or name of the target node.
    to: String,
    /// Condition for taking the edge, in plain words.
    label: Option<String>,
    conditions: Option<Map<String, Value>>,
    /// Alias of `label`; it wins if both are given.
    condition: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A tool that nodes can use by name.
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

/// JSON, or text that contains JSON.
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
    /// `headers` as sent.
    headers_raw: Option<String>,
    /// `body` as sent.
    body_raw: Option<String>,
    /// `mock_response` as sent.
    mock_response_raw: Option<String>,
    /// JSON Schema of the model's arguments.
    body_schema: Option<JsonOrText>,
    /// JMESPath expression that selects from the response.
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
    /// Sent to the contact when a person takes over; nothing is sent without it.
    message: Option<String>,
    /// `message` by language, such as `es` or `pt-BR`. The contact's `metadata.language`
    /// selects, else the country of the number.
    #[schema(required = false, value_type = std::collections::HashMap<String, String>)]
    messages: Map<String, Value>,
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

/// An MCP server.
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

/// JMESPath expression that selects from one tool's results.
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
