//! `GET /agents/{agent_id}/executions`

use super::view::{AgentExecution, AgentExecutionStatus};
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
    found::Found,
};
use domain::phone;
use serde::Deserialize;
use store::{agents, executions, executions::Filter};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Exact status.
    #[serde(rename = "q[status_eq]")]
    #[param(inline, value_type = Option<AgentExecutionStatus>)]
    status: Option<String>,
    /// Started at or after this time.
    #[serde(rename = "q[started_at_gteq]")]
    #[param(inline)]
    started_from: Option<Time>,
    /// Started at or before this time.
    #[serde(rename = "q[started_at_lteq]")]
    #[param(inline)]
    started_to: Option<Time>,
    /// Ended at or after this time.
    #[serde(rename = "q[ended_at_gteq]")]
    #[param(inline)]
    ended_from: Option<Time>,
    /// Ended at or before this time.
    #[serde(rename = "q[ended_at_lteq]")]
    #[param(inline)]
    ended_to: Option<Time>,
    /// Exact phone number.
    #[serde(rename = "q[phone_number_eq]")]
    phone_number: Option<String>,
}

impl Filters {
    fn filter(&self) -> Filter {
        Filter {
            status: self.status.clone(),
            started_from: self.started_from.map(|time| time.0),
            started_to: self.started_to.map(Time::end),
            ended_from: self.ended_from.map(|time| time.0),
            ended_to: self.ended_to.map(Time::end),
            phone_number: self.phone_number.as_deref().map(phone::comparable),
        }
    }
}

/// List an agent's executions
///
/// Newest first. Executions of test chats and test runs are not among them.
#[utoipa::path(
    get, path = "/agents/{agent_id}/executions", operation_id = "list_agent_executions", tag = "Agent Executions",
    params(("agent_id", description = "Agent id."), List<Filters>),
    responses((status = 200, description = "One page of executions.", body = Page<AgentExecution>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    list: List<Filters>,
) -> Result<Page<AgentExecution>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let filter = list.filter.filter();
    let (rows, total) = executions::list(&mut conn, ctx.project, agent.id, &filter, limit, offset).await?;
    Ok(list.page(rows.iter().map(AgentExecution::of).collect(), total))
}
