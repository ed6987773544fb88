//! `POST /agents/{agent_id}/test_chats` and `POST /agent_snapshots/{agent_snapshot_id}/test_chats`

use super::view::{self, AgentTestChat};
use crate::{
    ApiError, AppState,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
    resources::executions::Message,
};
use axum::extract::Request;
use domain::{
    event::Event,
    execution::ExecutionInput,
    ids::{AgentId, CheckpointId, ConversationId, ExecutionId, ProjectId, SnapshotId, TestChatId},
};
use runtime::{events, test_mode};
use serde::Deserialize;
use serde_json::json;
use store::{
    Tx, agents, conversations, executions,
    test_chats::{self, TestChatRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestChatCreate {
    /// A text or a structured message.
    message: Message,
    /// Chat to continue; null or omitted starts a new one.
    agent_test_chat_id: Option<Uuid>,
    /// Continues from this checkpoint of the chat; later messages stay in their own branch.
    checkpoint_id: Option<Uuid>,
}

impl RequestBody for TestChatCreate {}

/// Chat with the live agent in test mode
///
/// The agent works in the background; nothing reaches WhatsApp.
#[utoipa::path(
    post, path = "/agents/{agent_id}/test_chats", operation_id = "create_agent_test_chat", tag = "Agent Test Chats",
    params(("agent_id", description = "Agent id.")), request_body = TestChatCreate,
    responses(
        (status = 201, description = "The chat, opened or continued.", body = Data<AgentTestChat>),
        (status = 422, description = "`chat_busy`: the agent is still answering; `unknown_checkpoint` in the details"),
    )
)]
pub(super) async fn with_agent(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    request: Request,
) -> Result<Changed<Created<AgentTestChat>>, ApiError> {
    say(&ctx, agent.id, None, body::read(request).await?).await
}

/// Chat with a snapshot in test mode
///
/// The agent works in the background; nothing reaches WhatsApp.
#[utoipa::path(
    post, path = "/agent_snapshots/{agent_snapshot_id}/test_chats", operation_id = "create_agent_snapshot_test_chat",
    tag = "Agent Test Chats", params(("agent_snapshot_id", description = "Snapshot id.")), request_body = TestChatCreate,
    responses(
        (status = 201, description = "The chat, opened or continued.", body = Data<AgentTestChat>),
        (status = 422, description = "`chat_busy`: the agent is still answering; `unknown_checkpoint` in the details"),
    )
)]
pub(super) async fn with_snapshot(
    ctx: ProjectContext,
    Found(snapshot): Found<agents::SnapshotRow>,
    request: Request,
) -> Result<Changed<Created<AgentTestChat>>, ApiError> {
    say(&ctx, snapshot.agent_id, Some(snapshot.id), body::read(request).await?).await
}

async fn say(
    ctx: &ProjectContext,
    agent: AgentId,
    snapshot: Option<SnapshotId>,
    request: TestChatCreate,
) -> Result<Changed<Created<AgentTestChat>>, ApiError> {
    let project = ctx.project;
    let chat = request.agent_test_chat_id.map(TestChatId::from_uuid);
    let from = request.checkpoint_id.map(CheckpointId::from_uuid);
    let input = ExecutionInput::from(request.message);
    let answer = change!(ctx, "test_chat.say", tx => {
        let row = match chat {
            Some(id) => continue_chat(ctx, tx, project, agent, snapshot, id, from).await?,
            None if from.is_some() => return Err(unknown_checkpoint()),
            None => open(ctx, tx, project, agent, snapshot).await?,
        };
        deliver(ctx, tx, project, &row, &input).await?;
        Ok(Created(AgentTestChat::of(tx, project, &row).await?))
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}

fn unknown_checkpoint() -> ApiError {
    ApiError::invalid("/checkpoint_id", "unknown_checkpoint", "the chat has no such checkpoint")
}

async fn open(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    agent_id: AgentId,
    snapshot_id: Option<SnapshotId>,
) -> Result<TestChatRow, ApiError> {
    let (conversation, now) = (test_mode::open(ctx, tx, project).await?, ctx.now());
    let row = TestChatRow {
        id: ctx.new_id(),
        agent_id,
        snapshot_id,
        conversation_id: conversation.id,
        checkpoint_id: None,
        created_at: now,
        updated_at: now,
    };
    test_chats::insert(tx, project, &row).await?;
    Ok(row)
}

/// Loads the chat to continue, at its end or at a checkpoint. Chats of other agents are not found.
async fn continue_chat(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    agent: AgentId,
    snapshot: Option<SnapshotId>,
    id: TestChatId,
    from: Option<CheckpointId>,
) -> Result<TestChatRow, ApiError> {
    let row = test_chats::lock(tx, project, id, ctx.now()).await?;
    let row = row.filter(|row| row.agent_id == agent && row.snapshot_id == snapshot);
    let mut row = row.ok_or(ApiError::NotFound("Test chat"))?;
    let (status, _) = view::standing(tx, project, &row).await?;
    if status == "processing" {
        let why = "wait until the chat is completed";
        return Err(ApiError::state("chat_busy", "Agent is still answering", why));
    }
    if let Some(from) = from {
        let found = test_mode::checkpoint(tx, project, &row, from).await?.ok_or_else(unknown_checkpoint)?;
        row.conversation_id = test_mode::branch(ctx, tx, project, &row, &found).await?;
        row.checkpoint_id = Some(found.id);
    }
    Ok(row)
}

/// Delivers to the chat's execution; starts a new one if there is none or it has ended.
pub(super) async fn deliver(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &TestChatRow,
    input: &ExecutionInput,
) -> Result<(), ApiError> {
    let execution = match live(tx, project, row.conversation_id).await? {
        Some(live) => live,
        None => {
            let conversation = conversations::find(tx, project, row.conversation_id).await?;
            let conversation = conversation.ok_or(ApiError::NotFound("Test chat"))?;
            let snapshot = match row.snapshot_id {
                Some(id) => id,
                None => {
                    let current = agents::current_snapshot(tx, project, row.agent_id).await?;
                    current.ok_or(ApiError::NotFound("Agent"))?
                }
            };
            let id = ctx.new_id();
            test_mode::begin(ctx, tx, project, &conversation, row.agent_id, snapshot, id).await?;
            id
        }
    };
    test_mode::deliver(ctx, tx, project, row.conversation_id, execution, input).await?;
    let body = json!({"conversation_id": row.conversation_id});
    Ok(events::append(ctx, tx, project, Event::TestChatUpdated, row.id.uuid(), &body).await?)
}

async fn live(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId) -> Result<Option<ExecutionId>, ApiError> {
    let conversation = conversations::find(tx, project, id).await?;
    let Some(execution) = conversation.and_then(|conversation| conversation.execution_id) else { return Ok(None) };
    let row = executions::find(tx, project, execution).await?;
    let over = row.is_none_or(|row| row.status.is_over());
    Ok((!over).then_some(execution))
}
