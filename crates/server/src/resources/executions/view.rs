//! How an execution is shown.

use crate::api::{Time, words};
use domain::{
    chat::ToolCall,
    ids::{ExecutionId, ProjectId},
};
use engine::{InterruptKind, State};
use serde::{Deserialize, Serialize};
use store::{
    Conn, Error,
    executions::{self, ExecutionRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// The engine's state; `None` before the first step.
pub(super) async fn state(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> store::Result<Option<State>> {
    let Some(row) = executions::state(conn, project, id).await?.filter(|row| !row.state.is_empty()) else {
        return Ok(None);
    };
    State::load(row.state_format, &row.state).map(Some).map_err(|why| Error::Damaged { what: "state", why })
}

/// One run, with the rest that it is in.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentExecutionDetail {
    #[serde(flatten)]
    execution: AgentExecution,
    /// What it waits for; null while it works and when it is over.
    interrupt: Option<ExecutionInterrupt>,
}

/// What a run at rest waits for.
#[derive(Serialize, ToSchema)]
struct ExecutionInterrupt {
    /// What a resume may name.
    id: String,
    #[schema(value_type = ExecutionInterruptKind)]
    kind: InterruptKind,
    node: String,
    /// What was asked.
    message: Option<String>,
    /// The call that the next input answers.
    #[schema(value_type = Option<std::collections::HashMap<String, Value>>)]
    tool_call: Option<ToolCall>,
    created_at: Time,
    /// When the run ends unless somebody says something.
    expires_at: Option<Time>,
}

words!(ExecutionInterruptKind = "wait", "idle", "ask", "template", "manual", "handoff");

impl AgentExecutionDetail {
    pub(super) fn of(row: &ExecutionRow, state: Option<&State>) -> Self {
        let interrupt = state.and_then(|state| state.interrupt.as_ref()).map(|rest| ExecutionInterrupt {
            id: rest.id.clone(),
            kind: rest.kind,
            node: rest.node.clone(),
            message: rest.message.clone(),
            tool_call: rest.call.clone(),
            created_at: rest.since.into(),
            expires_at: rest.expires_at.map(Time),
        });
        Self { execution: AgentExecution::of(row), interrupt }
    }
}

/// One run of an agent over one conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentExecution {
    id: Uuid,
    agent_id: Uuid,
    thread_id: Uuid,
    whatsapp_conversation_id: Uuid,
    #[schema(value_type = AgentExecutionStatus)]
    status: String,
    started_at: Time,
    /// Null until the run is over.
    ended_at: Option<Time>,
    /// Whole seconds; null until the run is over.
    #[schema(minimum = 0)]
    duration: Option<i64>,
    /// The node that it visits or last visited.
    current_node: String,
    handoff_reason: Option<String>,
    end_reason: Option<String>,
    /// Why it failed.
    error: Option<AgentExecutionError>,
    created_at: Time,
    updated_at: Time,
}

/// Why a run failed. The row holds it as JSON, with what the engine keeps for itself beside.
#[derive(Serialize, Deserialize, ToSchema)]
struct AgentExecutionError {
    /// Stable word, e.g. `llm_unavailable`.
    code: String,
    message: String,
    /// The node that was being visited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    node: Option<String>,
    /// Whether a resume may take the kept input up again.
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
