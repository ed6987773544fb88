//! API representation of an execution.

use crate::{
    ApiError,
    api::{Time, words},
    found::PathRow,
};
use domain::{
    chat::ToolCall,
    ids::{AgentId, ExecutionId, ProjectId},
};
use engine::{InterruptKind, State};
use serde::{Deserialize, Serialize};
use store::{
    Conn, Error,
    executions::{self, ExecutionRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// Engine state; `None` before the first step.
pub(super) async fn state(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> store::Result<Option<State>> {
    let Some(row) = executions::state(conn, project, id).await?.filter(|row| !row.state.is_empty()) else {
        return Ok(None);
    };
    State::load(row.state_format, &row.state).map(Some).map_err(|why| Error::Damaged { what: "state", why })
}

/// An execution with its active interrupt.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentExecutionDetail {
    #[serde(flatten)]
    execution: AgentExecution,
    /// Active interrupt; null while the execution works and after its end.
    interrupt: Option<ExecutionInterrupt>,
}

/// Interrupt of a waiting execution.
#[derive(Serialize, ToSchema)]
struct ExecutionInterrupt {
    /// Id to give in a resume.
    id: String,
    #[schema(value_type = ExecutionInterruptKind)]
    kind: InterruptKind,
    node: String,
    /// Question, if one was asked.
    message: Option<String>,
    /// Tool call answered by the next input.
    #[schema(value_type = Option<std::collections::HashMap<String, Value>>)]
    tool_call: Option<ToolCall>,
    created_at: Time,
    /// Time at which the execution ends without further input.
    expires_at: Option<Time>,
}

words!(ExecutionInterruptKind = "wait", "idle", "ask", "template", "manual", "handoff");

impl AgentExecutionDetail {
    pub(super) fn of(row: &ExecutionRow, state: Option<&State>) -> Self {
        let interrupt = state.and_then(|state| state.phase.interrupt()).map(|interrupt| ExecutionInterrupt {
            id: interrupt.id.clone(),
            kind: interrupt.kind,
            node: interrupt.node.clone(),
            message: interrupt.message.clone(),
            tool_call: interrupt.call.clone(),
            created_at: interrupt.since.into(),
            expires_at: interrupt.expires_at.map(Time),
        });
        Self { execution: AgentExecution::of(row), interrupt }
    }
}

/// Execution of an agent over one conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentExecution {
    id: Uuid,
    agent_id: Uuid,
    thread_id: Uuid,
    whatsapp_conversation_id: Uuid,
    #[schema(value_type = AgentExecutionStatus)]
    status: String,
    started_at: Time,
    /// Null until the execution has ended.
    ended_at: Option<Time>,
    /// Whole seconds; null until the execution has ended.
    #[schema(minimum = 0)]
    duration: Option<i64>,
    /// Current or last node.
    current_node: String,
    handoff_reason: Option<String>,
    end_reason: Option<String>,
    /// Failure, if any.
    error: Option<AgentExecutionError>,
    created_at: Time,
    updated_at: Time,
}

/// Failure of an execution. The stored JSON also has internal fields.
#[derive(Serialize, Deserialize, ToSchema)]
struct AgentExecutionError {
    /// Stable code, e.g. `llm_unavailable`.
    code: String,
    message: String,
    /// Current node at the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    node: Option<String>,
    /// True if a resume can retry with the stored input.
    retryable: bool,
}

words!(AgentExecutionStatus = "started", "running", "paused", "ended", "handoff", "failed", "stopped");

impl AgentExecution {
    pub(crate) fn of(row: &ExecutionRow) -> Self {
        Self {
            id: row.id.uuid(),
            agent_id: row.agent_id.uuid(),
            thread_id: row.id.uuid(),
            whatsapp_conversation_id: row.conversation_id.uuid(),
            status: row.status.as_str().to_owned(),
            started_at: row.started_at.into(),
            ended_at: row.ended_at.map(Time),
            duration: row.ended_at.map(|ended| (ended - row.started_at).secs()),
            current_node: row.node.clone(),
            handoff_reason: row.handoff_reason.clone(),
            end_reason: row.end_reason.clone(),
            error: row.error.as_deref().and_then(|error| serde_json::from_str(error).ok()),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl PathRow for ExecutionRow {
    const NAME: &'static str = "Execution";

    /// Executions of another agent are not found.
    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [agent, id] = path else { return Ok(None) };
        let (Ok(agent), Ok(id)) = (agent.parse::<AgentId>(), id.parse()) else { return Ok(None) };
        Ok(executions::find(conn, project, id).await?.filter(|row| row.agent_id == agent))
    }
}
