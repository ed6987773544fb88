//! `GET /executions`

use super::view::{AgentExecution, AgentExecutionStatus};
use crate::{
    ApiError,
    api::{
        Query,
        cursor::{self, CursorMeta},
    },
    auth::ProjectContext,
};
use axum::Json;
use domain::Id;
use serde::{Deserialize, Serialize};
use store::execution_list::{self, Filter, ListedExecution};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Executions of one answer.
const LENGTH: usize = 50;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Exact status.
    #[param(inline, value_type = Option<AgentExecutionStatus>)]
    status: Option<String>,
    /// Only executions of this agent.
    agent: Option<Uuid>,
    /// Only executions of this snapshot of an agent.
    snapshot: Option<Uuid>,
    /// Only executions in conversations of this contact.
    contact: Option<Uuid>,
    /// `meta.before` of the previous answer.
    #[param(pattern = r"^[0-9]{1,16}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    before: Option<String>,
}

/// Executions, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionPage {
    data: Vec<ExecutionEntry>,
    meta: CursorMeta,
}

/// An execution with its agent and contact.
#[derive(Serialize, ToSchema)]
struct ExecutionEntry {
    #[serde(flatten)]
    execution: AgentExecution,
    /// Null if the agent was deleted.
    agent_name: Option<String>,
    contact_name: Option<String>,
    /// Null if the contact hides it.
    phone_number: Option<String>,
    /// Null if the conversation was deleted.
    contact_id: Option<Uuid>,
    snapshot_id: Uuid,
    /// Sums; null until the next step of an execution of an earlier version.
    #[schema(minimum = 0)]
    turns: Option<i64>,
    #[schema(minimum = 0)]
    input_tokens: Option<i64>,
    #[schema(minimum = 0)]
    output_tokens: Option<i64>,
    /// Requests to the model, with repeated ones; null for an execution that began in an earlier version.
    #[schema(minimum = 0)]
    llm_calls: Option<i64>,
    /// Start of the contact's message that it began with. Null if that has no text or was deleted,
    /// and for an execution that began through the API or in an earlier version.
    #[schema(max_length = 200)]
    asked: Option<String>,
}

impl ExecutionEntry {
    fn of(row: ListedExecution) -> Self {
        let ListedExecution {
            execution,
            agent_name,
            contact_name,
            phone_number,
            contact,
            snapshot,
            sums,
            llm_calls,
            asked,
        } = row;
        Self {
            execution: AgentExecution::of(&execution),
            agent_name,
            contact_name,
            phone_number,
            contact_id: contact.map(|id| id.uuid()),
            snapshot_id: snapshot.uuid(),
            turns: sums.map(|sums| sums.turns),
            input_tokens: sums.map(|sums| sums.input_tokens),
            output_tokens: sums.map(|sums| sums.output_tokens),
            llm_calls,
            asked: asked.filter(|text| !text.trim().is_empty()),
        }
    }
}

/// List the executions of all agents
///
/// Newest first, 50 at a time. Executions of tests are not included.
#[utoipa::path(
    get, path = "/executions", operation_id = "list_executions", tag = "Agent Executions", params(Filters),
    responses((status = 200, description = "Executions.", body = ExecutionPage))
)]
pub(super) async fn handle(ctx: ProjectContext, Query(asked): Query<Filters>) -> Result<Json<ExecutionPage>, ApiError> {
    let status = asked.status.as_deref().and_then(|status| status.parse().ok());
    let before = asked.before.as_deref().map(cursor::parse).transpose()?;
    let filter = Filter {
        status,
        agent: asked.agent.map(Id::from_uuid),
        snapshot: asked.snapshot.map(Id::from_uuid),
        contact: asked.contact.map(Id::from_uuid),
        before,
    };
    let limit = i64::try_from(LENGTH).unwrap_or(i64::MAX) + 1;
    let mut rows = {
        let mut reader = ctx.store.read().await?;
        execution_list::list(&mut reader.conn(), ctx.project, &filter, limit).await?
    };
    let has_more = rows.len() > LENGTH;
    rows.truncate(LENGTH);
    let last = rows.last().filter(|_| has_more).map(|row| cursor::text(row.execution.created_at, row.execution.id));
    let data = rows.into_iter().map(ExecutionEntry::of).collect();
    Ok(Json(ExecutionPage { data, meta: CursorMeta { before: last } }))
}
