//! `PATCH /agents/{agent_id}`

use super::{
    save,
    settings::{self, AgentLimits, AgentLlmConfig},
    view::{self, Agent},
};
use crate::{
    ApiError,
    api::{IfMatch, Problems, RequestBody, Versioned, Warned, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::{extract::Request, http::StatusCode};
use domain::{Problem, agent::Graph};
use serde::Deserialize;
use serde_json::Value;
use store::agents::{self, AgentRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentUpdate {
    agent: AgentChange,
    #[serde(skip)]
    warnings: Vec<Problem>,
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct AgentChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 65536)]
    system_prompt: Option<Option<String>>,
    /// Alias of `system_prompt` for published clients.
    #[serde(default, rename = "systemPrompt", deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 65536)]
    system_prompt_too: Option<Option<String>>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<String>>,
    /// Seconds to wait for more messages before an answer; null is 0.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 60)]
    message_debounce_seconds: Option<Option<i64>>,
    /// Conversation style: 1 asks questions with a tool, 2 with text.
    #[schema(minimum = 1, maximum = 2, nullable = false)]
    agent_version: Option<i64>,
    /// Replaces all model settings; null selects the server's model.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<AgentLlmConfig>)]
    llm_config: Option<Option<AgentLlmConfig>>,
    /// Replaces all limits; null restores the defaults.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<AgentLimits>)]
    limits: Option<Option<AgentLimits>>,
    /// Replaces the list; null empties it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Vec<super::settings::OptionalTool>>, max_items = 10)]
    enabled_tools: Option<Option<Vec<String>>>,
    #[schema(value_type = Option<super::settings::WebhooksInTests>, nullable = false)]
    webhooks_in_tests: Option<String>,
    /// Replaces the whole graph.
    #[serde(default, deserialize_with = "body::skip_graph")]
    #[schema(value_type = Option<super::graph_schema::AgentGraphInput>)]
    graph: Option<Graph>,
    /// Ignored; published clients send it.
    #[serde(rename = "environment")]
    _environment: Option<String>,
}

impl RequestBody for AgentUpdate {
    const WRAPPER: &'static [&'static str] = &["agent"];
    const LIMIT: usize = body::GRAPH_LIMIT;
    const GRAPH_AT: &'static str = save::GRAPH_AT;

    fn check(body: &Value, problems: &mut Problems) {
        settings::check(body, problems);
    }

    fn set_graph(&mut self, graph: Graph) {
        self.agent.graph = Some(graph);
    }

    fn set_warnings(&mut self, warnings: Vec<Problem>) {
        self.warnings = warnings;
    }
}

impl AgentChange {
    /// Copies the fields that were sent.
    fn apply(&self, row: &mut AgentRow) {
        if let Some(name) = &self.name {
            row.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            row.description.clone_from(description);
        }
        if let Some(prompt) = self.system_prompt.as_ref().or(self.system_prompt_too.as_ref()) {
            row.system_prompt.clone_from(prompt);
        }
        if let Some(debounce) = self.message_debounce_seconds {
            row.message_debounce_seconds = debounce.unwrap_or(0);
        }
        if let Some(version) = self.agent_version {
            row.agent_version = version;
        }
        if let Some(config) = &self.llm_config {
            row.llm_config = settings::stored(config.as_ref());
        }
        if let Some(limits) = &self.limits {
            row.limits = settings::stored(limits.as_ref());
        }
        if let Some(tools) = &self.enabled_tools {
            row.enabled_tools = settings::stored(tools.as_ref());
        }
        if let Some(word) = &self.webhooks_in_tests {
            row.webhooks_in_tests = settings::in_tests(Some(word));
        }
        if let Some(graph) = &self.graph {
            row.graph = view::stored(graph);
        }
    }
}

/// Update name, prompt, settings or graph
///
/// Omitted fields stay unchanged. Running executions keep their pinned state, and `warnings` says
/// so (`executions_running`); `POST /sandbox_sessions/{id}/restart` ends the one of a sandbox phone.
/// It also lists what is probably wrong in a graph that was sent.
#[utoipa::path(
    patch, path = "/agents/{agent_id}", operation_id = "update_agent", tag = "Agents", request_body = AgentUpdate,
    params(
        ("agent_id", description = "Agent id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the state that is to be changed."),
    ),
    responses(
        (status = 200, description = "The agent.", body = Warned<Agent>),
        (status = 409, description = "`stale`: it changed since the state in `If-Match`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    if_match: IfMatch,
    request: Request,
) -> Result<Changed<Versioned<Warned<Agent>>>, ApiError> {
    let project = ctx.project;
    let AgentUpdate { agent: sent, warnings } = body::read::<AgentUpdate>(request).await?;
    let named = sent.graph.as_ref().map(Graph::secret_names).unwrap_or_default();
    let providers = sent.graph.as_ref().map(Graph::provider_names).unwrap_or_default();
    change!(ctx, "agent.update", tx => {
        let mut row = agents::lock(tx, project, agent.id).await?.found()?;
        if_match.check(row.version)?;
        let live = row.snapshot_id;
        sent.apply(&mut row);
        row.updated_at = ctx.now();
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::update(tx, project, &row).await?;
        save::append_events(&ctx, tx, project, &row, row.snapshot_id != live).await?;
        let mut warnings = save::warnings(tx, project, &warnings, &named).await?;
        warnings.extend(save::unknown_providers(&ctx, tx, project, &row, &providers).await?);
        warnings.truncate(save::MOST_WARNINGS - 1);
        if row.snapshot_id != live {
            warnings.extend(save::still_running(tx, project, row.id).await?);
        }
        let data = Agent::of_row(project, &row);
        Ok(Versioned(Warned { data, warnings, status: StatusCode::OK }, row.version + 1))
    })
}
