//! `POST /agents`

use super::{
    save::{self, GraphChange},
    settings::{self, AgentLimits, AgentLlmConfig},
    view::Agent,
};
use crate::{
    ApiError,
    api::{Changed, Created, Data, Problems, RequestBody, Versioned, body, change},
    auth::ProjectContext,
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::Value;
use store::{
    agents,
    test_suites::{self, TestSuiteRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentCreate {
    agent: NewAgent,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewAgent {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    pub(super) name: String,
    #[schema(max_length = 65536)]
    pub(super) system_prompt: Option<String>,
    /// Another spelling of `system_prompt`, for published clients.
    #[serde(rename = "systemPrompt")]
    #[schema(max_length = 65536)]
    pub(super) system_prompt_too: Option<String>,
    #[schema(max_length = 2000)]
    pub(super) description: Option<String>,
    /// How long to wait for more messages before answering.
    #[schema(minimum = 0, maximum = 60)]
    pub(super) message_debounce_seconds: Option<i64>,
    /// How it talks: 1 by asking with a tool, 2 by text (the default).
    #[schema(minimum = 1, maximum = 2)]
    pub(super) agent_version: Option<i64>,
    pub(super) llm_config: Option<AgentLlmConfig>,
    pub(super) limits: Option<AgentLimits>,
    /// Tools that are off unless they are named.
    #[schema(value_type = Option<Vec<super::settings::OptionalTool>>, max_items = 10)]
    pub(super) enabled_tools: Option<Vec<String>>,
    #[schema(value_type = Option<super::settings::WebhooksInTests>)]
    pub(super) webhooks_in_tests: Option<String>,
    /// The starter graph if there is none.
    #[schema(value_type = Option<super::graph_schema::AgentGraphInput>)]
    pub(super) graph: Option<GraphChange>,
}

impl RequestBody for AgentCreate {
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

/// Make an agent, with the starter graph unless one is given
#[utoipa::path(
    post, path = "/agents", operation_id = "create_agent", tag = "Agents", request_body = AgentCreate,
    responses((status = 201, description = "The agent.", body = Data<Agent>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Versioned<Created<Agent>>>, ApiError> {
    let new = body::read::<AgentCreate>(request).await?.agent;
    let mut row = save::new_row(&ctx, new);
    let project = ctx.project;
    change!(ctx, "agent.create", tx => {
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::insert(tx, project, &row).await?;
        // Published clients upload tests to the agent's first suite, and none if there is none.
        let suite = TestSuiteRow {
            id: ctx.new_id(),
            agent_id: row.id,
            name: "Default".into(),
            description: None,
            created_at: row.created_at,
            updated_at: row.created_at,
        };
        test_suites::insert(tx, project, &suite).await?;
        Ok(Versioned(Created(Agent::of_row(project, &row)), row.version))
    })
}
