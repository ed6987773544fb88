//! How an execution is shown.

use domain::Timestamp;
use serde_json::{Value, json};
use store::executions::ExecutionRow;

/// The contract's fields, and ours beside them: where it stands and why it failed.
pub(super) fn view(row: &ExecutionRow) -> Value {
    let ended = row.ended_at.map(Timestamp::from_micros);
    let error = row.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok());
    json!({
        "id": row.id,
        "agent_id": row.agent_id,
        "thread_id": row.id,
        "whatsapp_conversation_id": row.conversation_id,
        "status": row.status,
        "started_at": row.started_at.to_iso(),
        "ended_at": ended.map(Timestamp::to_iso),
        "duration": ended.map(|ended| (ended - row.started_at).secs()),
        "current_node": row.node,
        "handoff_reason": row.handoff_reason,
        "end_reason": row.end_reason,
        "error": error,
        "created_at": row.created_at.to_iso(),
        "updated_at": row.updated_at.to_iso(),
    })
}
