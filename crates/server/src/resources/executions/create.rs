//! `POST /agents/{agent_id}/executions`

use super::{input::Message, view::AgentExecution};
use crate::{
    ApiError,
    api::{Accepted, Data, PhoneNumber, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::extract::Request;
use domain::{
    Timestamp,
    execution::ExecutionInput,
    ids::{ProjectId, WhatsappConfigId},
    phone::Phone,
};
use engine::Input;
use runtime::{
    channel::{self, Channel},
    mailbox, test_mode,
};
use serde::Deserialize;
use store::{
    Tx, agents,
    conversations::{self, ConversationRow, Release},
    executions::{self, NewExecution},
    whatsapp_configs,
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct ExecutionCreate {
    /// First input: a text, a structured message, or none.
    message: Option<Message>,
    phone_number: Option<PhoneNumber>,
    /// Config of the sender.
    whatsapp_config_id: Option<Uuid>,
}

impl RequestBody for ExecutionCreate {}

/// Start an execution
///
/// The execution runs in the background. With a phone number it works in that contact's
/// conversation, through the given config, otherwise the phone's active sandbox session, otherwise
/// the project's first number. Without one it has no contact.
#[utoipa::path(
    post, path = "/agents/{agent_id}/executions", operation_id = "start_agent_execution", tag = "Agent Executions",
    params(("agent_id", description = "Agent id.")), request_body = ExecutionCreate,
    responses(
        (status = 202, description = "The execution.", body = Data<AgentExecution>),
        (status = 409, description = "`execution_active`: another execution is already active for this conversation; `conversation_assigned`: the conversation is assigned to a person; `agent_paused`: a person replies on the shop's phone"),
        (status = 422, description = "Details: `unknown_config`, `phone_unreachable`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    request: Request,
) -> Result<Changed<Accepted<AgentExecution>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<ExecutionCreate>(request).await?;
    let earlier = new.message.as_ref().map(|message| message.earlier(ctx.now())).unwrap_or_default();
    let message = new.message.map(ExecutionInput::from);
    let phone = new.phone_number.map(|number| number.0);
    let config = new.whatsapp_config_id.map(WhatsappConfigId::from_uuid);
    let changed = change!(ctx, "execution.create", tx => {
        let snapshot = agents::current_snapshot(tx, project, agent.id).await?.ok_or(ApiError::NotFound("Agent"))?;
        let mut conversation = conversation(&ctx, tx, project, phone.as_ref(), config).await?;
        refuse_if_live(tx, project, &conversation, ctx.now()).await?;
        let (id, now) = (ctx.new_id(), ctx.now());
        let phone_number = conversation.phone_number.as_deref();
        let (agent, conversation_id) = (agent.id, conversation.id);
        let new = NewExecution { id, agent, snapshot, conversation: conversation_id, phone_number, first_message: None, now };
        executions::insert(tx, project, &new).await?;
        if !earlier.is_empty() {
            let key = format!("earlier:{id}");
            let input = Input::Earlier { messages: earlier.clone() };
            mailbox::put(tx, project, &conversation, &key, &input).await?;
            conversation = conversations::next_seq(tx, project, conversation.id, now).await?.ok_or(ApiError::NotFound("Execution"))?;
        }
        if let Some(message) = &message {
            let key = format!("create:{id}");
            let input = match message {
                ExecutionInput::UserInput { text } => Input::Message { id: key.clone(), text: text.clone(), picture: None },
                ExecutionInput::Payload { value } => Input::Data { id: key.clone(), value: value.clone() },
            };
            mailbox::put(tx, project, &conversation, &key, &input).await?;
        }
        // Due at once, under the epoch locked by `touch`.
        let release = Release { execution: Some(id), due_at: Some(now), keep: true };
        conversations::release(tx, project, conversation.id, conversation.epoch, release).await?;
        let row = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        Ok(Accepted(AgentExecution::of(&row)))
    })?;
    ctx.wake.notify_one();
    Ok(changed)
}

async fn refuse_if_live(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<(), ApiError> {
    if conversation.is_assigned() {
        let why = "release the assignment first";
        return Err(ApiError::conflict("conversation_assigned", "Conversation is assigned to a person", why));
    }
    if conversation.is_held(now) {
        let why = "a person replies on the shop's phone; wait until the pause is over";
        return Err(ApiError::conflict("agent_paused", "The agent is paused in this conversation", why));
    }
    let Some(id) = conversation.execution_id else { return Ok(()) };
    let live = executions::find(tx, project, id).await?;
    let live = live.is_some_and(|row| !row.status.is_over());
    if live {
        return Err(ApiError::conflict(
            "execution_active",
            "Another execution is already active for this conversation",
            "end it or wait",
        ));
    }
    Ok(())
}

/// Finds or creates the conversation of the execution.
async fn conversation(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    project: ProjectId,
    phone: Option<&Phone>,
    config: Option<WhatsappConfigId>,
) -> Result<ConversationRow, ApiError> {
    // An absent config is reported even if the execution has no contact and needs none.
    let config = match config {
        Some(id) => {
            let unknown = || ApiError::invalid("/whatsapp_config_id", "unknown_config", "no such WhatsApp config");
            Some(whatsapp_configs::find(tx, project, id).await?.ok_or_else(unknown)?)
        }
        None => None,
    };
    let Some(phone) = phone else {
        // An execution without a contact gets its own conversation without a number.
        return Ok(test_mode::open(ctx, tx, project).await?);
    };
    let channel = match config {
        Some(config) => Some(Channel::from(config)),
        None => match channel::sandbox(ctx, tx, project, phone).await? {
            Some(sandbox) => Some(sandbox),
            None => whatsapp_configs::oldest(tx, project).await?.map(Channel::from),
        },
    };
    let Some(channel) = channel else {
        let why = "the project has no WhatsApp number and the phone has no active sandbox session";
        return Err(ApiError::invalid("/phone_number", "phone_unreachable", why));
    };
    Ok(channel::open(ctx, tx, project, phone, &channel).await?)
}
