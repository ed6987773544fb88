//! `POST /whatsapp_messages`

use super::{
    known::Asked,
    send::send,
    take::{WhatsappMessageCreateRequest, take},
    view::WhatsappMessage,
};
use crate::{
    ApiError,
    api::{Changed, Created, Data, PhoneNumber, Query, change},
    auth::ProjectContext,
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
    /// The number to send from.
    whatsapp_config_id: Option<Uuid>,
    /// Whose first number to send from, if no config is named.
    customer_id: Option<Uuid>,
    /// Who gets it, unless the body says it.
    #[param(max_length = 32, format = "phone")]
    phone_number: Option<String>,
}

/// Send a message by phone number
///
/// It is sent from the named config, else from the customer's first, else from the project's first, else from the sandbox if the phone has
/// an active session. The contact and the conversation are made if there are none. Outside the 24-hour window only templates are taken.
#[utoipa::path(
    post, path = "/whatsapp_messages", operation_id = "create_standalone_whatsapp_message", tag = "WhatsApp Messages",
    params(Recipient),
    request_body(content(
        (WhatsappMessageCreateRequest = "application/json"),
        (WhatsappMessageCreateRequest = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "Stored; it is sent in the background.", body = Data<WhatsappMessage>),
        (status = 400, description = "Also `malformed`: no phone number is given"),
        (status = 404, description = "`not_found`: the named template does not exist in its language: neither here nor, as far as it can be asked, at WhatsApp"),
        (status = 409, description = "`agent_active`: an agent execution holds the conversation"),
        (status = 422, description = "`no_config`: there is no such number, or none to send from; `no_access_token`: the config has no \
            access token; `outside_service_window`: the 24-hour window is closed; `no_address`: WhatsApp has told no address of \
            this person. Details: `unknown_customer` and those of a message in a conversation"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Query(recipient): Query<Recipient>,
    request: Request,
) -> Result<Changed<Created<WhatsappMessage>>, ApiError> {
    let taken = take(&ctx, request).await?;
    let source_key = format!("api:{}", ctx.new_uuid());
    let mut asked = Asked::Ours;
    let changed = loop {
        let changed = match to(taken.message.phone_number.as_ref(), &recipient) {
            Err(error) => Err(error),
            Ok(phone) => change!(ctx, "message.send", tx => {
                let channel = from(&ctx, tx, &phone, &recipient).await?;
                let conversation = channel::open(&ctx, tx, ctx.project, &phone, &channel).await?;
                let words = asked.ours(&ctx, tx, &conversation, &taken).await?;
                send(&ctx, tx, &conversation, &taken, words.as_deref(), &source_key).await.map(Created)
            }),
        };
        if !asked.meta(&ctx).await? {
            break changed;
        }
    };
    taken.keep_if_sent(&ctx, &changed).await;
    ctx.wake.notify_one();
    changed
}

fn to(in_body: Option<&PhoneNumber>, recipient: &Recipient) -> Result<Phone, ApiError> {
    match (in_body, &recipient.phone_number) {
        (Some(phone), _) => Ok(phone.0.clone()),
        (None, Some(text)) => phone::normalise(text)
            .map_err(|error| ApiError::invalid("/phone_number", "invalid_phone_number", error.to_string())),
        (None, None) => Err(ApiError::Malformed("Phone number is required".into())),
    }
}

/// The number to send from.
async fn from(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    phone: &Phone,
    recipient: &Recipient,
) -> Result<Channel, ApiError> {
    let project = ctx.project;
    let none = || ApiError::State("no_config", "WhatsApp configuration not found".into());
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
            Err(ApiError::State("no_access_token", "the WhatsApp config has no access token".into()))
        }
        Some(config) => Ok(config.into()),
        None => channel::sandbox(ctx, tx, project, phone).await?.ok_or_else(none),
    }
}
