//! API representation of a test chat.

use crate::{
    ApiError,
    api::{Time, words},
};
use domain::{
    execution::{ExecutionError, ExecutionStatus},
    ids::ProjectId,
};
use engine::trial::Line;
use runtime::{json::from_json, test_mode, trials};
use serde::Serialize;
use store::{
    Conn,
    conversations::{self, ConversationRow},
    executions::{self, ExecutionRow},
    test_chats::{self, TestChatRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A conversation in test mode; nothing reaches WhatsApp.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentTestChat {
    id: Uuid,
    agent_id: Uuid,
    /// Null for a chat with the live agent.
    agent_snapshot_id: Option<Uuid>,
    #[schema(value_type = TestChatStatus)]
    status: &'static str,
    /// All messages so far, oldest first; grows while the agent works.
    conversation: Vec<ChatMessage>,
    /// Failure of the agent, if any.
    error: Option<String>,
    /// Latest checkpoint, from which a later message may continue; null before the first one.
    checkpoint: Option<TestChatCheckpoint>,
    created_at: Time,
    updated_at: Time,
}

/// Last line of a chat that the agent gave to a person. Nothing else would show that it ended.
const HANDED_OFF: &str = "[The agent handed the conversation over to a person.]";

words!(TestChatStatus = "processing", "completed", "error");

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatMessage {
    #[schema(value_type = ChatRole)]
    role: &'static str,
    content: String,
}

words!(ChatRole = "user", "assistant");

/// A checkpoint of a test chat.
#[derive(Serialize, ToSchema)]
struct TestChatCheckpoint {
    checkpoint_id: Uuid,
    parent_checkpoint_id: Option<Uuid>,
}

impl From<Line> for ChatMessage {
    fn from(line: Line) -> Self {
        Self { role: if line.by_user { "user" } else { "assistant" }, content: line.text }
    }
}

impl AgentTestChat {
    pub(super) async fn of(conn: &mut Conn<'_>, project: ProjectId, row: &TestChatRow) -> Result<Self, ApiError> {
        let (status, error) = standing(conn, project, row).await?;
        let lines = trials::lines(conn, project, row.conversation_id).await?;
        let mut conversation: Vec<ChatMessage> = lines.into_iter().map(ChatMessage::from).collect();
        if status == "completed" && parts_of(conn, project, row).await?.1.status == ExecutionStatus::Handoff {
            conversation.push(ChatMessage { role: "assistant", content: HANDED_OFF.into() });
        }
        let checkpoint = match row.checkpoint_id {
            Some(id) => test_chats::checkpoint(conn, project, id).await?,
            None => None,
        };
        let checkpoint = checkpoint.map(|found| TestChatCheckpoint {
            checkpoint_id: found.id.uuid(),
            parent_checkpoint_id: found.parent_id.map(|id| id.uuid()),
        });
        Ok(Self {
            id: row.id.uuid(),
            agent_id: row.agent_id.uuid(),
            agent_snapshot_id: row.snapshot_id.map(|id| id.uuid()),
            status,
            conversation,
            error,
            checkpoint,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// Status of the chat and failure of the agent.
pub(super) async fn standing(
    conn: &mut Conn<'_>,
    project: ProjectId,
    row: &TestChatRow,
) -> Result<(&'static str, Option<String>), ApiError> {
    let (conversation, execution) = parts_of(conn, project, row).await?;
    Ok(match test_mode::status_at_rest(&conversation, &execution) {
        None => ("processing", None),
        Some(ExecutionStatus::Failed) => {
            let error: ExecutionError = from_json("error", execution.error.as_deref().unwrap_or_default())?;
            ("error", Some(error.message))
        }
        Some(_) => ("completed", None),
    })
}

/// The chat's conversation and execution.
async fn parts_of(
    conn: &mut Conn<'_>,
    project: ProjectId,
    row: &TestChatRow,
) -> Result<(ConversationRow, ExecutionRow), ApiError> {
    let gone = || ApiError::NotFound("Test chat");
    let conversation = conversations::find(conn, project, row.conversation_id).await?.ok_or_else(gone)?;
    let execution = conversation.execution_id.ok_or_else(gone)?;
    let execution = executions::find(conn, project, execution).await?.ok_or_else(gone)?;
    Ok((conversation, execution))
}
