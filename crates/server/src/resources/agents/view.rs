//! API representation of an agent.

use super::{
    graph_schema::AgentGraph,
    settings::{self, AgentLimits, AgentLlmConfig},
};
use crate::api::Time;
use domain::{agent::Graph, ids::ProjectId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{
    Error,
    agents::{AgentRow, AgentSummaryRow, WebhooksInTests},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// An agent, without prompt and graph.
#[derive(Serialize, ToSchema)]
pub(crate) struct Agent {
    id: Uuid,
    name: String,
    description: Option<String>,
    project_id: Uuid,
    created_at: Time,
    updated_at: Time,
}

impl Agent {
    pub(crate) fn of(project: ProjectId, row: &AgentSummaryRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            description: row.description.clone(),
            project_id: project.uuid(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }

    pub(super) fn of_row(project: ProjectId, row: &AgentRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            description: row.description.clone(),
            project_id: project.uuid(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// An agent with prompt and graph.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentWithGraph {
    id: Uuid,
    name: String,
    system_prompt: Option<String>,
    message_debounce_seconds: i64,
    /// Conversation style: 1 asks questions with a tool, 2 with text.
    #[schema(minimum = 1, maximum = 2)]
    agent_version: i64,
    /// Language model; null for the server's.
    llm_config: Option<AgentLlmConfig>,
    /// Own limits; null for the defaults.
    limits: Option<AgentLimits>,
    /// Enabled optional tools.
    #[schema(value_type = Vec<super::settings::OptionalTool>)]
    enabled_tools: Vec<String>,
    #[schema(value_type = super::settings::WebhooksInTests)]
    webhooks_in_tests: &'static str,
    project_id: Uuid,
    created_at: Time,
    updated_at: Time,
    #[schema(value_type = AgentGraph)]
    graph: Value,
    /// Only with `include=description`, because published clients fail on it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, extensions(("x-optional" = json!(true))))]
    description: Option<Option<String>>,
}

impl AgentWithGraph {
    pub(super) fn of(project: ProjectId, row: &AgentRow, with_description: bool) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            system_prompt: row.system_prompt.clone(),
            message_debounce_seconds: row.message_debounce_seconds,
            agent_version: row.agent_version,
            llm_config: settings::read("llm_config", row.llm_config.as_deref())?,
            limits: settings::read("limits", row.limits.as_deref())?,
            enabled_tools: settings::read("enabled_tools", row.enabled_tools.as_deref())?.unwrap_or_default(),
            webhooks_in_tests: row.webhooks_in_tests.unwrap_or(WebhooksInTests::Request).as_str(),
            project_id: project.uuid(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            graph: shown(&row.graph)?,
            description: with_description.then(|| row.description.clone()),
        })
    }
}

/// Stored graph plus `tools` and `metadata`, which published clients require.
pub(crate) fn shown(graph: &str) -> Result<Value, Error> {
    let damaged = |why: String| Error::Damaged { what: "graph", why };
    let stored: Value = serde_json::from_str(graph).map_err(|error| damaged(error.to_string()))?;
    let mut shown = match stored {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    shown.entry("tools").or_insert_with(|| json!([]));
    shown.entry("metadata").or_insert_with(|| json!({}));
    Ok(Value::Object(shown))
}

/// Stored text of a graph.
pub(crate) fn stored(graph: &Graph) -> String {
    graph.to_json().to_string()
}
