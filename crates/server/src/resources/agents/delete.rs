//! `DELETE /agents/{agent_id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use domain::{
    event::Event,
    ids::{AgentId, ConversationId, ProjectId},
};
use engine::Input;
use runtime::{events, mailbox::deliver, sandbox};
use serde_json::json;
use store::{Tx, agent_whatsapp_configs as links, agents, conversations, executions, sandbox_sessions};

/// Executions that one request stops.
const MOST_STOPPED: i64 = 500;

/// Delete an agent
///
/// Stops its executions that are not over, and deletes its sandbox sessions. Its test suites, runs
/// and chats are gone with it. Conversations, their messages and the executions in them stay
/// readable. An agent that answers on a number is not deleted: remove its links first.
#[utoipa::path(
    delete, path = "/agents/{agent_id}", operation_id = "delete_agent", tag = "Agents",
    params(("agent_id", description = "Agent id.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "`agent_linked`: the agent answers on a WhatsApp number; `agent_busy`: it has more than 500 executions that are not over"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let (project, id) = (ctx.project, agent.id);
    let mut stopped = Vec::new();
    let done = change!(ctx, "agent.delete", tx => {
        agents::lock(tx, project, id).await?.found()?;
        let (_, linked) = links::list(tx, project, id, (1, 0)).await?;
        if linked > 0 {
            let why = "remove its links to numbers first";
            return Err(ApiError::conflict("agent_linked", "Agent answers on a WhatsApp number", why));
        }
        stopped = stop_executions(&ctx, tx, project, id).await?;
        for session in sandbox_sessions::of_agent(tx, project, id).await? {
            sandbox::delete(&ctx, tx, project, &session).await?;
        }
        agents::delete(tx, project, id, ctx.now()).await?;
        events::append(&ctx, tx, project, Event::AgentUpdated, id.uuid(), &json!({"deleted": true})).await?;
        Ok(StatusCode::NO_CONTENT)
    })?;
    for conversation in stopped {
        ctx.interrupts.signal(conversation);
    }
    ctx.wake.notify_one();
    Ok(done)
}

/// Delivers a stop to each live execution. Returns their conversations.
async fn stop_executions(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    project: ProjectId,
    agent: AgentId,
) -> Result<Vec<ConversationId>, ApiError> {
    let live = executions::live_of_agent(tx, project, agent, MOST_STOPPED + 1).await?;
    if i64::try_from(live.len()).is_ok_and(|count| count > MOST_STOPPED) {
        let why = format!("it has more than {MOST_STOPPED} executions that are not over; stop some of them first");
        return Err(ApiError::conflict("agent_busy", "Agent has too many executions", why));
    }
    let mut stopped = Vec::with_capacity(live.len());
    for row in live {
        let now = ctx.now();
        let Some(conversation) = conversations::next_seq(tx, project, row.conversation_id, now).await? else {
            continue;
        };
        let key = format!("stop:{}", ctx.new_uuid());
        let input = Input::Stop { id: key.clone(), reason: "agent_deleted".into() };
        deliver(tx, project, &conversation, &key, &input, now).await?;
        stopped.push(conversation.id);
    }
    Ok(stopped)
}
