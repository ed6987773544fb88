//! API representation of the link between a conversation and an execution.
//!
//! There is exactly one for each execution, so it is not stored: its id is the execution's id with
//! another UUID version.

use crate::api::{Time, words};
use domain::{Id, ids::ExecutionId};
use serde::Serialize;
use store::{conversations::ConversationRow, executions::ExecutionRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// Link between a conversation and an execution.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationAgentExecution {
    id: Uuid,
    /// True if this is the conversation's active execution.
    active: bool,
    handoff_reason: Option<String>,
    created_at: Time,
    updated_at: Time,
    agent_execution: LinkedExecution,
}

/// Summary of an execution.
#[derive(Serialize, ToSchema)]
struct LinkedExecution {
    id: Uuid,
    agent_id: Uuid,
    thread_id: Uuid,
    #[schema(value_type = LinkedExecutionStatus)]
    status: String,
    started_at: Time,
    /// Null until the execution has ended.
    ended_at: Option<Time>,
    /// Whole seconds; null until the execution has ended.
    #[schema(minimum = 0)]
    duration: Option<i64>,
}

words!(LinkedExecutionStatus = "started", "running", "paused", "ended", "handoff", "failed", "stopped");

impl ConversationAgentExecution {
    pub(super) fn of(row: &ExecutionRow, conversation: &ConversationRow) -> Self {
        let over = row.status.is_over();
        Self {
            id: switched(row.id.uuid()),
            active: conversation.execution_id == Some(row.id) && !over,
            handoff_reason: row.handoff_reason.clone(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            agent_execution: LinkedExecution {
                id: row.id.uuid(),
                agent_id: row.agent_id.uuid(),
                thread_id: row.id.uuid(),
                status: row.status.as_str().to_owned(),
                started_at: row.started_at.into(),
                ended_at: row.ended_at.map(Time),
                duration: row.ended_at.map(|ended| (ended - row.started_at).secs()),
            },
        }
    }
}

/// Execution id of a link id.
pub(super) fn execution(link: Id<ConversationAgentExecution>) -> ExecutionId {
    Id::from_uuid(switched(link.uuid()))
}

/// Converts between both ids: UUID version 7 becomes 8, and back.
fn switched(id: Uuid) -> Uuid {
    let mut bytes = id.into_bytes();
    bytes[6] ^= 0xf0;
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_ids_and_execution_ids_convert_to_each_other() {
        let execution: Uuid = "0197a1b2-0000-7000-8000-000000000001".parse().unwrap();
        let link = switched(execution);
        assert_eq!(link.to_string(), "0197a1b2-0000-8000-8000-000000000001");
        assert_eq!(switched(link), execution);
    }
}
