//! `POST /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::{
    known::Asked,
    send::send,
    take::{WhatsappMessageCreateRequest, take},
    view::WhatsappMessage,
};
use crate::{
    ApiError,
    api::{Changed, Created, Data, change},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use store::conversations;

/// Send a message in a conversation and store it
///
/// Refused while an agent holds the conversation; where a person has it the agent is told what was said. Outside the 24-hour
/// window only templates are taken. A file is sent as `multipart/form-data` with the fields `message[media_file]`, `message[message_type]` and
/// so on; all other types are sent as JSON or as a form.
#[utoipa::path(
    post, path = "/whatsapp_conversations/{conversation_id}/whatsapp_messages", operation_id = "create_whatsapp_message",
    tag = "WhatsApp Messages", params(("conversation_id", description = "Conversation id.")),
    request_body(content(
        (WhatsappMessageCreateRequest = "application/json"),
        (WhatsappMessageCreateRequest = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "Stored; it is sent in the background.", body = Data<WhatsappMessage>),
        (status = 404, description = "Also if the named template does not exist in its language: neither here nor, as far as it can be asked, \
            at WhatsApp"),
        (status = 409, description = "`agent_active`: an agent execution holds the conversation"),
        (status = 422, description = "`outside_service_window`: the 24-hour window is closed; `no_address`: WhatsApp has told no \
            address of this person. Details: `blank`, `invalid`, `invalid_url`, `ambiguous`, `not_a_file`, `too_large`, \
            `unsupported_type`, `unknown_message`, `not_reactable`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    request: Request,
) -> Result<Changed<Created<WhatsappMessage>>, ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    {
        let mut reader = ctx.store.read().await?;
        conversations::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Conversation"))?;
    }
    let taken = take(&ctx, request).await?;
    let source_key = format!("api:{}", ctx.new_uuid());
    let mut asked = Asked::Ours;
    let changed = loop {
        let changed = change!(ctx, "message.send", tx => {
            let conversation = conversations::next_seq(tx, ctx.project, id, ctx.now()).await?;
            let conversation = conversation.ok_or(ApiError::NotFound("Conversation"))?;
            let words = asked.ours(&ctx, tx, &conversation, &taken).await?;
            send(&ctx, tx, &conversation, &taken, words.as_deref(), &source_key).await.map(Created)
        });
        if !asked.meta(&ctx).await? {
            break changed;
        }
    };
    taken.keep_if_sent(&ctx, &changed).await;
    ctx.wake.notify_one();
    changed
}
