//! `POST /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::{
    read_message::{WhatsappMessageCreateRequest, read_message},
    send::send,
    template_lookup::Lookup,
    view::WhatsappMessage,
};
use crate::{
    ApiError,
    api::{Created, Data},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use store::conversations;

/// Send a message in a conversation and store it
///
/// Refused while an agent execution is active. During a handoff or assignment the agent receives
/// the message as history. Outside the 24-hour window only templates are accepted. Files are sent
/// as `multipart/form-data` with `message[media_file]`, `message[message_type]` and so on; all
/// other types as JSON or as a form.
#[utoipa::path(
    post, path = "/whatsapp_conversations/{conversation_id}/whatsapp_messages", operation_id = "create_whatsapp_message",
    tag = "WhatsApp Messages", params(("conversation_id", description = "Conversation id.")),
    request_body(content(
        (WhatsappMessageCreateRequest = "application/json"),
        (WhatsappMessageCreateRequest = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "Stored; it is sent in the background.", body = Data<WhatsappMessage>),
        (status = 404, description = "Also if the template does not exist in its language, neither here nor at WhatsApp"),
        (status = 409, description = "`agent_active`: an execution is active in this conversation"),
        (status = 422, description = "`outside_service_window`: the 24-hour window is closed; `no_address`: WhatsApp has \
            sent no address of this contact; `template_unknown`, `template_not_approved`, `template_parameters_invalid`: the \
            template for texts outside of the window cannot carry the text. Details: `blank`, `invalid`, `invalid_url`, `ambiguous`, `not_a_file`, `too_large`, \
            `unsupported_type`, `unknown_message`, `not_reactable`; of a template also `wrong_parameter_count`, `wrong_parameters`, \
            `missing_parameter`, `invalid_parameter`, `wrong_header`, `unsupported_template`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    request: Request,
) -> Result<Changed<Created<WhatsappMessage>>, ApiError> {
    let incoming = read_message(&ctx, request).await?;
    let source_key = format!("api:{}", ctx.new_uuid());
    let mut lookup = Lookup::Local;
    let changed = loop {
        let changed = change!(ctx, "message.send", tx => {
            let conversation = conversations::next_seq(tx, ctx.project, conversation.id, ctx.now()).await?;
            let conversation = conversation.found()?;
            let template = lookup.fill(&ctx, tx, &conversation, &incoming).await?;
            send(&ctx, tx, &conversation, &incoming, template.as_ref(), &source_key).await.map(Created)
        });
        if !lookup.meta(&ctx).await? {
            break changed;
        }
    };
    incoming.discard_unless_sent(&ctx, &changed).await;
    ctx.wake.notify_one();
    changed
}
