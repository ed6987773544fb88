//! `POST /agents`

use super::{
    save,
    settings::{self, AgentLimits, AgentLlmConfig},
    view::{self, Agent},
};
use crate::{
    ApiError, AppState,
    api::{Problems, RequestBody, Versioned, Warned, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::{extract::Request, http::StatusCode};
use domain::{Id, Problem, agent::Graph, ids::AgentId};
use serde::Deserialize;
use serde_json::Value;
use store::{
    agents::{self, AgentRow},
    test_suites::{self, TestSuiteRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentCreate {
    agent: NewAgent,
    #[serde(skip)]
    warnings: Vec<Problem>,
}

#[derive(Deserialize, ToSchema)]
struct NewAgent {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    #[schema(max_length = 65536)]
    system_prompt: Option<String>,
    /// Alias of `system_prompt` for published clients.
    #[serde(rename = "systemPrompt")]
    #[schema(max_length = 65536)]
    system_prompt_too: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Seconds to wait for more messages before an answer.
    #[schema(minimum = 0, maximum = 60)]
    message_debounce_seconds: Option<i64>,
    /// Conversation style: 1 asks questions with a tool, 2 with text (the default).
    #[schema(minimum = 1, maximum = 2)]
    agent_version: Option<i64>,
    llm_config: Option<AgentLlmConfig>,
    limits: Option<AgentLimits>,
    /// Optional tools to enable.
    #[schema(value_type = Option<Vec<super::settings::OptionalTool>>, max_items = 10)]
    enabled_tools: Option<Vec<String>>,
    #[schema(value_type = Option<super::settings::WebhooksInTests>)]
    webhooks_in_tests: Option<String>,
    /// Default: the starter graph.
    #[serde(default, deserialize_with = "body::skip_graph")]
    #[schema(value_type = Option<super::graph_schema::AgentGraphInput>)]
    graph: Option<Graph>,
}

impl RequestBody for AgentCreate {
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

impl NewAgent {
    fn row(self, ctx: &AppState) -> AgentRow {
        let now = ctx.now();
        let id: AgentId = ctx.new_id();
        AgentRow {
            id,
            name: self.name,
            description: self.description,
            system_prompt: self.system_prompt.or(self.system_prompt_too),
            message_debounce_seconds: self.message_debounce_seconds.unwrap_or(0),
            agent_version: self.agent_version.unwrap_or(2),
            llm_config: settings::stored(self.llm_config.as_ref()),
            limits: settings::stored(self.limits.as_ref()),
            webhooks_in_tests: settings::in_tests(self.webhooks_in_tests.as_deref()),
            enabled_tools: settings::stored(self.enabled_tools.as_ref()),
            graph: view::stored(&self.graph.unwrap_or_else(Graph::starter)),
            snapshot_id: Id::from_uuid(id.uuid()),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Create an agent, with the starter graph unless one is given
///
/// `warnings` lists what is probably wrong in the graph, and secrets and model providers that it
/// names and the project does not have.
#[utoipa::path(
    post, path = "/agents", operation_id = "create_agent", tag = "Agents", request_body = AgentCreate,
    responses((status = 201, description = "The agent.", body = Warned<Agent>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Versioned<Warned<Agent>>>, ApiError> {
    let AgentCreate { agent: new, warnings } = body::read::<AgentCreate>(request).await?;
    let named = new.graph.as_ref().map(Graph::secret_names).unwrap_or_default();
    let providers = new.graph.as_ref().map(Graph::provider_names).unwrap_or_default();
    let mut row = new.row(&ctx);
    let project = ctx.project;
    change!(ctx, "agent.create", tx => {
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::insert(tx, project, &row).await?;
        save::append_events(&ctx, tx, project, &row, true).await?;
        // Published clients upload tests to the agent's first suite, and skip the upload if there
        // is none.
        let suite = TestSuiteRow {
            id: ctx.new_id(),
            agent_id: row.id,
            name: "Default".into(),
            description: None,
            created_at: row.created_at,
            updated_at: row.created_at,
        };
        test_suites::insert(tx, project, &suite).await?;
        let mut warnings = save::warnings(tx, project, &warnings, &named).await?;
        warnings.extend(save::unknown_providers(&ctx, tx, project, &row, &providers).await?);
        warnings.truncate(save::MOST_WARNINGS);
        let data = Agent::of_row(project, &row);
        Ok(Versioned(Warned { data, warnings, status: StatusCode::CREATED }, row.version))
    })
}
