//! `POST /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    body,
    fields::Fields,
    workers::{self, NotSendable, Said},
};
use axum::{
    Json,
    extract::{Path, Request},
    http::StatusCode,
};
use domain::execution::ExecutionStatus;
use engine::{Input, limits};
use serde_json::{Value, json};
use store::{conversations, executions, mailbox, messages, transact};

/// Sends a text in a conversation. Refused while an agent holds it; in a handoff the agent is told what was said.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        conversations::find(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Conversation"))?;
    }
    let mut fields =
        Fields::new("/message", body::wrapped(request, body::API_LIMIT, &["message", "whatsapp_message"]).await?);
    let kind = fields.text("message_type", 32).unwrap_or_else(|| "text".into());
    if kind != "text" {
        fields.problem("message_type", "unsupported", "only text is supported by this release yet");
    }
    let content = fields.required_text("content", limits::TEXT);
    fields.done()?;
    let source_key = format!("api:{}", ctx.new_uuid());
    let (row, phone_number) = transact!(ctx.store, "message.send", ApiError, tx => {
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, id, now).await?.ok_or(ApiError::NotFound("Conversation"))?;
        let status = match conversation.execution() {
            Some(execution) => executions::find(tx, project, execution).await?.and_then(|row| row.status.parse::<ExecutionStatus>().ok()),
            None => None,
        };
        if status.is_some_and(|status| !status.is_over() && status != ExecutionStatus::Handoff) {
            return Err(ApiError::Conflict("agent_active", "an agent execution holds the conversation".into()));
        }
        if status == Some(ExecutionStatus::Handoff) {
            let input = Input::Outside { id: source_key.clone(), text: content.clone() };
            mailbox::put(tx, project, id, &workers::mail(conversation.next_seq, source_key.clone(), &input)?).await?;
            conversations::wake(tx, project, id, now, None).await?;
        }
        let said = Said { text: &content, source_key: &source_key, waiting: None };
        let message = workers::enqueue(&ctx, tx, project, &conversation, &said, now).await?.map_err(refused)?;
        let row = messages::find(tx, project, message).await?.ok_or(ApiError::NotFound("Message"))?;
        Ok((row, conversation.phone_number))
    })?;
    ctx.wake.notify_one();
    Ok((StatusCode::CREATED, Json(json!({"data": view::view(&row, phone_number.as_deref())}))))
}

fn refused(why: NotSendable) -> ApiError {
    match why {
        NotSendable::WindowClosed => ApiError::WindowClosed,
        NotSendable::NoAddress => ApiError::State("no_address", why.to_string()),
    }
}
