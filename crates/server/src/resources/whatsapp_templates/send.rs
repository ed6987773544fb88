//! `POST /whatsapp_templates/{template_id}/send_template`
//!
//! The message goes through the outbox. The answer contains WhatsApp's response, so the request
//! attempts its own outbox entry like a worker and waits a limited time. If the process dies, a
//! worker continues.

use crate::{
    ApiError,
    api::{PhoneNumber, Problems, RequestBody, answer::Answer, body, words},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::{
    Json,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{
    Id,
    ids::{MessageId, OutboxId, ProjectId},
    message::{Content, TemplateMessage},
    template::{self, Filling, Header, LocationHeader, MOST_PARAMETERS, Parameters, Shape, TemplateStatus},
};
use runtime::{
    channel,
    dispatch::send_and_wait,
    json::from_json,
    outbox::{self, EntryContent, NewEntry, NotSendable},
    ownership,
    senders::{self, Sender},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use store::{
    Tx, customers,
    outbox::{OutboxRow, OutboxState},
    whatsapp_configs,
    whatsapp_templates::{self, WhatsappTemplateRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct SendTemplateRequest {
    template: TemplateToSend,
}

impl RequestBody for SendTemplateRequest {
    const WRAPPER: &'static [&'static str] = &["template"];

    fn check(body: &Value, problems: &mut Problems) {
        let given = &body["template"]["template_parameters"];
        let count = given.as_array().map(Vec::len).or_else(|| given.as_object().map(Map::len));
        if count.is_some_and(|count| count > MOST_PARAMETERS) {
            let why = format!("must be at most {MOST_PARAMETERS}");
            problems.add("/template/template_parameters", "too_many", why);
        }
    }
}

#[derive(Deserialize, ToSchema)]
struct TemplateToSend {
    phone_number: PhoneNumber,
    /// Omitted for a template without variables.
    template_parameters: Option<SendTemplateParameters>,
    /// Type of the template's header; must match.
    #[schema(value_type = Option<SendTemplateHeaderType>)]
    header_type: Option<String>,
    header_params: Option<SendTemplateHeader>,
    /// Document headers only.
    #[schema(max_length = 240)]
    header_filename: Option<String>,
    /// Config of the sender.
    whatsapp_config_id: Option<Uuid>,
    /// Customer whose first production config with the template is used.
    customer_id: Option<Uuid>,
    /// For a location header.
    location_params: Option<SendTemplateLocation>,
    /// Button position, from 0, to the suffix of its link.
    button_url_params: Option<BTreeMap<String, String>>,
    /// Button position, from 0, to its reply payload.
    button_quick_reply_payloads: Option<BTreeMap<String, String>>,
    /// Button position, from 0, to the code to copy.
    button_copy_code_params: Option<BTreeMap<String, String>>,
}

words!(SendTemplateHeaderType = "text", "image", "video", "document");

/// A list for numbered placeholders, an object for named ones.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum SendTemplateParameters {
    List(Vec<String>),
    Named(BTreeMap<String, String>),
}

/// Header text or media link; an object for a named placeholder.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum SendTemplateHeader {
    Value(String),
    Named(BTreeMap<String, String>),
}

#[derive(Deserialize, ToSchema)]
struct SendTemplateLocation {
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    #[schema(max_length = 1000)]
    name: Option<String>,
    #[schema(max_length = 1000)]
    address: Option<String>,
}

/// Result of a send.
#[derive(Serialize, ToSchema)]
pub(super) struct SendTemplateResult {
    #[schema(value_type = SendTemplateStatus)]
    status: &'static str,
    message: String,
    template_id: Uuid,
    template_name: String,
    /// WhatsApp's answer: `messages` with the assigned `id`. Without an id and with
    /// `message_status` `queued`, the message is still being sent.
    response: Map<String, Value>,
}

words!(SendTemplateStatus = "success");

/// Stored under an `Idempotency-Key`: the send whose result the answer reports.
#[derive(Serialize, Deserialize)]
pub(super) struct Queued {
    message: MessageId,
    outbox: OutboxId,
}

impl IntoResponse for Queued {
    fn into_response(self) -> Response {
        StatusCode::ACCEPTED.into_response()
    }
}

impl Answer for Queued {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(json!({"data": {"id": self.message}, "handed": self}))
    }
}

/// Send a template to a phone number
///
/// Sent from `whatsapp_config_id`, otherwise the customer's first production config with the
/// template, otherwise the project's first one. Works outside the 24-hour window. Stores the
/// message and creates the conversation if absent. An answer may take some seconds because it
/// contains WhatsApp's response.
#[utoipa::path(
    post, path = "/whatsapp_templates/{template_id}/send_template", operation_id = "send_whatsapp_template",
    tag = "WhatsApp Templates", request_body = SendTemplateRequest,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "Sent to WhatsApp.", body = SendTemplateResult),
        (status = 422, description = "`template_not_approved`: only approved templates can be sent; `no_production_config`: no config \
            of its business account can send it; `no_address`: WhatsApp has sent no address of this contact; details: \
            `wrong_parameter_count`, `wrong_parameters`, `missing_parameter`, `invalid_parameter`, `wrong_header`, `unknown_button`, `unsupported_template`, \
            `unknown_config`, `unknown_customer`, `different_account`"),
        (status = 500, description = "`send_failed`: WhatsApp refused, or could not be reached"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
    request: Request,
) -> Result<Response, ApiError> {
    let sent = body::read::<SendTemplateRequest>(request).await?.template;
    let source_key = format!("api:{}", ctx.new_uuid());
    let done = change!(ctx, "whatsapp_template.send", tx => {
        queue(&ctx, tx, &template, &sent, &source_key).await
    })?;
    let (queued, replayed) = match done {
        Changed::Now(queued) => (queued, false),
        Changed::Before(stored) => {
            let mut body: Value = from_json("answer", &stored.body)?;
            (
                serde_json::from_value(body["handed"].take()).map_err(|error| ApiError::Internal(error.to_string()))?,
                true,
            )
        }
    };
    let row = send_and_wait(&ctx, ctx.project, queued.outbox).await?.ok_or(ApiError::NotFound("Template"))?;
    let mut response = Json(result(&template, &row)?).into_response();
    if replayed {
        let header = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(header, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Validates, fills and stores the message in the request's transaction.
async fn queue(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    template: &WhatsappTemplateRow,
    sent: &TemplateToSend,
    source_key: &str,
) -> Result<Queued, ApiError> {
    let project = ctx.project;
    let template = whatsapp_templates::find(tx, project, template.id).await?.found()?;
    if template.status != TemplateStatus::Approved {
        let status = template.status.as_str().to_owned();
        return Err(ApiError::not_sendable(NotSendable::TemplateNotApproved(status)));
    }
    let components: Vec<Value> = from_json("template", &template.components)?;
    let shape = Shape { components: &components, format: &template.parameter_format };
    let filled = template::fill(shape, &sent.filling()).map_err(|problems| {
        ApiError::Invalid(problems.into_iter().map(|problem| problem.under("/template")).collect())
    })?;
    let from = sender(ctx, tx, project, &template, sent).await?;
    let conversation = channel::open(ctx, tx, project, &sent.phone_number.0, &from.config.clone().into()).await?;
    let content = EntryContent::Agent(Content::Template(TemplateMessage {
        name: template.name.clone(),
        language: Some(template.language_code.clone()),
        parameters: Vec::new(),
        template_id: Some(template.id.to_string()),
        config_id: Some(from.config.id.to_string()),
        components: filled.components,
        text: Some(filled.text),
    }));
    ownership::notify_agent(tx, project, &conversation, source_key, &content.in_words()).await?;
    let (origin, author) = (ctx.principal.origin(), Some(ctx.author()));
    let entry =
        NewEntry { content: &content, shown: None, origin, author, source_key, waiting: None, outside_window: None };
    let message = outbox::enqueue(ctx, tx, project, &conversation, &entry, ctx.now()).await?;
    let message = message.map_err(ApiError::not_sendable)?;
    Ok(Queued { message, outbox: outbox::outbox_id(project, source_key) })
}

/// Selects the sender.
async fn sender(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    project: ProjectId,
    template: &WhatsappTemplateRow,
    sent: &TemplateToSend,
) -> Result<Sender, ApiError> {
    let invalid = |field: &str, code, why| ApiError::invalid(&format!("/template/{field}"), code, why);
    let customer = sent.customer_id.map(Id::from_uuid);
    if let Some(customer) = customer {
        let known = customers::find(tx, project, customer).await?;
        known.ok_or_else(|| invalid("customer_id", "unknown_customer", "no such customer"))?;
    }
    let unusable = super::accounts::no_number;
    let Some(id) = sent.whatsapp_config_id else {
        let from = senders::sender_of_account(ctx, tx, project, &template.waba_id, customer, None).await?;
        return from.ok_or_else(unusable);
    };
    let config = whatsapp_configs::find(tx, project, Id::from_uuid(id)).await?;
    let config = config.ok_or_else(|| invalid("whatsapp_config_id", "unknown_config", "no such WhatsApp config"))?;
    if config.waba_id != template.waba_id || customer.is_some_and(|customer| config.customer_id != Some(customer)) {
        let why = "this number cannot send the template: it is of another business account or customer";
        return Err(invalid("whatsapp_config_id", "different_account", why));
    }
    senders::sender_of_config(ctx, tx, project, config).await?.ok_or_else(unusable)
}

impl TemplateToSend {
    fn filling(&self) -> Filling {
        let parameters = match &self.template_parameters {
            Some(SendTemplateParameters::List(list)) => Parameters::List(list.clone()),
            Some(SendTemplateParameters::Named(named)) => Parameters::Named(named.clone()),
            None => Parameters::default(),
        };
        let header = self.header_params.as_ref().map(|header| match header {
            SendTemplateHeader::Value(value) => Header::Value(value.clone()),
            SendTemplateHeader::Named(named) => Header::Named(named.clone()),
        });
        let location = self.location_params.as_ref().map(|place| LocationHeader {
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name.clone(),
            address: place.address.clone(),
        });
        let buttons = |map: &Option<BTreeMap<String, String>>| map.clone().unwrap_or_default();
        Filling {
            parameters,
            header_type: self.header_type.clone(),
            header,
            header_filename: self.header_filename.clone(),
            location,
            button_urls: buttons(&self.button_url_params),
            button_payloads: buttons(&self.button_quick_reply_payloads),
            button_codes: buttons(&self.button_copy_code_params),
        }
    }
}

/// Result from the outbox entry's current state.
fn result(template: &WhatsappTemplateRow, row: &OutboxRow) -> Result<SendTemplateResult, ApiError> {
    let (message, sent) = match row.state {
        OutboxState::Accepted => ("Template message sent successfully", json!({"id": row.wamid})),
        OutboxState::Failed | OutboxState::Unconfirmed => return Err(failed(row)),
        _ => ("Template message is being sent", json!({"message_status": "queued"})),
    };
    let response = json!({"messaging_product": "whatsapp", "messages": [sent]});
    Ok(SendTemplateResult {
        status: "success",
        message: message.into(),
        template_id: template.id.uuid(),
        template_name: template.name.clone(),
        response: response.as_object().cloned().unwrap_or_default(),
    })
}

fn failed(row: &OutboxRow) -> ApiError {
    let error: Value = row.error.as_deref().and_then(|error| serde_json::from_str(error).ok()).unwrap_or_default();
    let why = error["message"].as_str().unwrap_or("unknown reason");
    let details = error.as_object().cloned().unwrap_or_default();
    let message = format!("Failed to send template message: {why}");
    ApiError::whatsapp(StatusCode::INTERNAL_SERVER_ERROR, "send_failed", message, details)
}
