//! `POST /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::view::WhatsappMessage;
use crate::{
    ApiError,
    api::{Changed, Created, Data, RequestBody, body, change, words},
    auth::{ProjectContext, path_id},
    takeover::{self, Floor},
    workers::{self, NotSendable, Said},
};
use axum::extract::{Path, Request};
use domain::message::Content;
use engine::Input;
use serde::Deserialize;
use store::{conversations, mailbox, messages};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappMessageCreateRequest {
    message: OutgoingMessage,
}

impl RequestBody for WhatsappMessageCreateRequest {
    const WRAPPER: &'static [&'static str] = &["message", "whatsapp_message"];
}

#[derive(Deserialize, ToSchema)]
struct OutgoingMessage {
    #[schema(min_length = 1, max_length = 4096, pattern = r"\S")]
    content: String,
    /// Other types are not supported by this release yet.
    #[serde(rename = "message_type")]
    #[schema(value_type = Option<OutgoingType>)]
    _message_type: Option<String>,
}

words!(OutgoingType = "text");

/// Send a message in a conversation and store it
///
/// Refused while an agent holds the conversation; where a person has it the agent is told what was said.
#[utoipa::path(
    post, path = "/whatsapp_conversations/{conversation_id}/whatsapp_messages", operation_id = "create_whatsapp_message",
    tag = "WhatsApp Messages", params(("conversation_id", description = "Conversation id.")),
    request_body = WhatsappMessageCreateRequest,
    responses(
        (status = 201, description = "Stored; it is sent in the background.", body = Data<WhatsappMessage>),
        (status = 409, description = "`agent_active`: an agent execution holds the conversation"),
        (status = 422, description = "`outside_service_window`: the 24-hour window is closed; `no_address`: WhatsApp has told no address of this person"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    request: Request,
) -> Result<Changed<Created<WhatsappMessage>>, ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        conversations::find(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Conversation"))?;
    }
    let OutgoingMessage { content, .. } = body::read::<WhatsappMessageCreateRequest>(request).await?.message;
    let source_key = format!("api:{}", ctx.new_uuid());
    let changed = change!(ctx, "message.send", tx => {
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, id, now).await?.ok_or(ApiError::NotFound("Conversation"))?;
        let Floor::People { agent_hears } = takeover::floor(tx, project, &conversation).await? else {
            return Err(ApiError::Conflict("agent_active", "an agent execution holds the conversation".into()));
        };
        if agent_hears {
            let input = Input::Outside { id: source_key.clone(), text: content.clone() };
            mailbox::put(tx, project, id, &workers::mail(conversation.next_seq, source_key.clone(), &input)?).await?;
            conversations::wake(tx, project, id, now, None).await?;
        }
        let said = Said { content: &Content::Text(content.clone()), source_key: &source_key, waiting: None };
        let message = workers::enqueue(&ctx, tx, project, &conversation, &said, now).await?.map_err(refused)?;
        let row = messages::find(tx, project, message).await?.ok_or(ApiError::NotFound("Message"))?;
        Ok(Created(WhatsappMessage::of(&row, conversation.phone_number.as_deref())))
    })?;
    ctx.wake.notify_one();
    Ok(changed)
}

fn refused(why: NotSendable) -> ApiError {
    match why {
        NotSendable::WindowClosed => ApiError::WindowClosed,
        why => ApiError::State(why.code(), why.to_string()),
    }
}
