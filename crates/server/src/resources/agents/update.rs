//! `PATCH /agents/{agent_id}`

use super::{
    save::{self, GraphChange},
    settings::{self, AgentLimits, AgentLlmConfig},
    view::Agent,
};
use crate::{
    ApiError,
    api::{Changed, Data, IfMatch, Problems, RequestBody, Versioned, body, change, three_state},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::Value;
use store::agents;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentUpdate {
    agent: AgentChange,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct AgentChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 65536)]
    pub(super) system_prompt: Option<Option<String>>,
    /// Another spelling of `system_prompt`, for published clients.
    #[serde(default, rename = "systemPrompt", deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 65536)]
    pub(super) system_prompt_too: Option<Option<String>>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub(super) description: Option<Option<String>>,
    /// How long to wait for more messages before answering; null is 0.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 60)]
    pub(super) message_debounce_seconds: Option<Option<i64>>,
    /// How it talks: 1 by asking with a tool, 2 by text.
    #[schema(minimum = 1, maximum = 2, nullable = false)]
    pub(super) agent_version: Option<i64>,
    /// Replaces the whole; null is the server's model.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<AgentLlmConfig>)]
    pub(super) llm_config: Option<Option<AgentLlmConfig>>,
    /// Replaces the whole; null is as usual.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<AgentLimits>)]
    pub(super) limits: Option<Option<AgentLimits>>,
    /// Replaces the whole; null is none.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<Vec<super::settings::OptionalTool>>, max_items = 10)]
    pub(super) enabled_tools: Option<Option<Vec<String>>>,
    #[schema(value_type = Option<super::settings::WebhooksInTests>, nullable = false)]
    pub(super) webhooks_in_tests: Option<String>,
    /// Replaces the whole graph.
    #[schema(value_type = Option<super::graph_schema::AgentGraphInput>)]
    pub(super) graph: Option<GraphChange>,
    /// Ignored; published clients send it.
    #[serde(rename = "environment")]
    _environment: Option<String>,
}

impl RequestBody for AgentUpdate {
    const WRAPPER: &'static [&'static str] = &["agent"];
    const LIMIT: usize = body::GRAPH_LIMIT;
    const READ_APART: &'static str = save::GRAPH_AT;

    fn read_apart(graph: Value, problems: &mut Problems) -> Value {
        save::read_graph(Self::READ_APART, &graph, problems)
    }

    fn check(body: &Value, problems: &mut Problems) {
        settings::check(body, problems);
    }
}

/// Change name, prompt or graph
///
/// What is left out stays as it is. Running executions keep the state that they pinned.
#[utoipa::path(
    patch, path = "/agents/{agent_id}", operation_id = "update_agent", tag = "Agents", request_body = AgentUpdate,
    params(
        ("agent_id", description = "Agent id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the state that is to be changed."),
    ),
    responses(
        (status = 200, description = "The agent.", body = Data<Agent>),
        (status = 409, description = "`stale`: it changed since the state in `If-Match`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    if_match: IfMatch,
    request: Request,
) -> Result<Changed<Versioned<Data<Agent>>>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let project = ctx.project;
    {
        // An agent that is not there is not found, whatever was sent.
        let mut reader = ctx.store.read().await?;
        agents::summary(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    }
    let sent = body::read::<AgentUpdate>(request).await?.agent;
    change!(ctx, "agent.update", tx => {
        let mut row = agents::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
        if_match.check(row.version)?;
        save::apply(&mut row, &sent);
        row.updated_at = ctx.now();
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::update(tx, project, &row).await?;
        Ok(Versioned(Data { data: Agent::of_row(project, &row) }, row.version + 1))
    })
}
