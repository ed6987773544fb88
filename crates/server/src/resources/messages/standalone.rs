//! `POST /whatsapp_messages`

use super::{
    read_message::{WhatsappMessageCreateRequest, read_message},
    send::send,
    template_lookup::Lookup,
    view::WhatsappMessage,
};
use crate::{
    ApiError,
    api::{Created, Data, PhoneNumber, Query},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use domain::{
    Id,
    phone::{self, Phone},
};
use runtime::channel::{self, Channel};
use serde::Deserialize;
use store::{Tx, customers, whatsapp_configs};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Recipient {
    /// Config of the sender.
    whatsapp_config_id: Option<Uuid>,
    /// Customer whose first config is used, if none is given.
    customer_id: Option<Uuid>,
    /// Recipient, unless given in the body.
    #[param(max_length = 32, format = "phone")]
    phone_number: Option<String>,
}

/// Send a message by phone number
///
/// Sent from the given config, otherwise the customer's first, otherwise the project's first,
/// otherwise the sandbox if the phone has an active session. Creates contact and conversation if
/// absent. Outside the 24-hour window only templates are accepted.
#[utoipa::path(
    post, path = "/whatsapp_messages", operation_id = "create_standalone_whatsapp_message", tag = "WhatsApp Messages",
    params(Recipient),
    request_body(content(
        (WhatsappMessageCreateRequest = "application/json"),
        (WhatsappMessageCreateRequest = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "Stored; it is sent in the background.", body = Data<WhatsappMessage>),
        (status = 400, description = "Also `malformed`: the phone number is missing"),
        (status = 404, description = "`not_found`: the template does not exist in its language, neither here nor at WhatsApp"),
        (status = 409, description = "`agent_active`: an execution is active in this conversation"),
        (status = 422, description = "`no_config`: no such config, or none to send from; `no_access_token`: the config has no \
            access token; `outside_service_window`: the 24-hour window is closed; `no_address`: WhatsApp has sent no address of \
            this contact. Details: `unknown_customer` and those of a message in a conversation"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Query(recipient): Query<Recipient>,
    request: Request,
) -> Result<Changed<Created<WhatsappMessage>>, ApiError> {
    let incoming = read_message(&ctx, request).await?;
    let source_key = format!("api:{}", ctx.new_uuid());
    let mut lookup = Lookup::Local;
    let changed = loop {
        let changed = match to(incoming.message.phone_number.as_ref(), &recipient) {
            Err(error) => Err(error),
            Ok(phone) => change!(ctx, "message.send", tx => {
                let channel = from(&ctx, tx, &phone, &recipient).await?;
                let conversation = channel::open(&ctx, tx, ctx.project, &phone, &channel).await?;
                let template = lookup.fill(&ctx, tx, &conversation, &incoming).await?;
                send(&ctx, tx, &conversation, &incoming, template.as_ref(), &source_key).await.map(Created)
            }),
        };
        if !lookup.meta(&ctx).await? {
            break changed;
        }
    };
    incoming.discard_unless_sent(&ctx, &changed).await;
    ctx.wake.notify_one();
    changed
}

fn to(in_body: Option<&PhoneNumber>, recipient: &Recipient) -> Result<Phone, ApiError> {
    match (in_body, &recipient.phone_number) {
        (Some(phone), _) => Ok(phone.0.clone()),
        (None, Some(text)) => phone::normalise(text)
            .map_err(|error| ApiError::invalid("/phone_number", "invalid_phone_number", error.to_string())),
        (None, None) => Err(ApiError::bad_request("Phone number is required")),
    }
}

/// Config of the sender.
async fn from(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    phone: &Phone,
    recipient: &Recipient,
) -> Result<Channel, ApiError> {
    let project = ctx.project;
    let none = || ApiError::refused("no_config", "WhatsApp configuration not found");
    let named = match (recipient.whatsapp_config_id, recipient.customer_id) {
        (Some(id), _) => Some(whatsapp_configs::find(tx, project, Id::from_uuid(id)).await?.ok_or_else(none)?),
        (None, Some(customer)) => {
            let customer = Id::from_uuid(customer);
            if customers::find(tx, project, customer).await?.is_none() {
                return Err(ApiError::invalid("/customer_id", "unknown_customer", "no such customer"));
            }
            whatsapp_configs::of_customer(tx, project, customer).await?.into_iter().next()
        }
        (None, None) => None,
    };
    let config = match named {
        Some(config) => Some(config),
        None => whatsapp_configs::oldest(tx, project).await?,
    };
    match config {
        Some(config) if config.access_token_id.is_none() => {
            Err(ApiError::refused("no_access_token", "The WhatsApp config has no access token"))
        }
        Some(config) => Ok(config.into()),
        None => channel::sandbox(ctx, tx, project, phone).await?.ok_or_else(none),
    }
}
