//! `POST /customers/{customer_id}/whatsapp_configs`

use super::{
    save,
    view::{WhatsappConfig, WhatsappConfigKind},
};
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{self, Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::conversation::{ConfigKind, NumberProof};
use runtime::number_proof;
use serde::Deserialize;
use store::{
    customers,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappConfigCreateRequest {
    whatsapp_config: NewWhatsappConfig,
}

impl RequestBody for WhatsappConfigCreateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_config"];
}

#[derive(Deserialize, ToSchema)]
struct NewWhatsappConfig {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    /// Meta's id of the number, digits only. The first config that proves it receives its messages.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[1-9][0-9]*$")]
    phone_number_id: String,
    /// Meta's id of the business account, digits only.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[1-9][0-9]*$")]
    business_account_id: String,
    /// Token that Meta sends in the webhook handshake.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S")]
    webhook_verify_token: String,
    #[schema(max_length = 2048, format = "uri")]
    webhook_destination_url: Option<String>,
    /// Stored encrypted and never returned. Required for sends, and to receive messages.
    #[schema(min_length = 1, max_length = 2048, pattern = r"^[!-~]+$", write_only)]
    access_token: Option<String>,
    #[serde(default = "production")]
    #[schema(value_type = WhatsappConfigKind, default = "production")]
    kind: ConfigKind,
    /// True lets agents answer inbound messages.
    #[serde(default = "yes")]
    #[schema(default = true)]
    inbound_processing_enabled: bool,
    #[serde(default)]
    #[schema(default = false)]
    calls_enabled: bool,
}

const fn production() -> ConfigKind {
    ConfigKind::Production
}

const fn yes() -> bool {
    true
}

/// Register a WhatsApp number for a customer
///
/// The config receives messages once its access token has read the number and the business account
/// at Meta. Meta is asked at once, and again later if it refuses or does not answer: the config is
/// stored anyway, and its health shows the proof. Messages to a registered number wait up to 14 days
/// for the proof.
#[utoipa::path(
    post, path = "/customers/{customer_id}/whatsapp_configs", operation_id = "create_customer_whatsapp_config",
    tag = "WhatsApp Configs", request_body = WhatsappConfigCreateRequest,
    params(("customer_id", description = "Customer id.")),
    responses(
        (status = 201, description = "The config.", body = Data<WhatsappConfig>),
        (status = 409, description = "`number_taken`: the project has a config with the number, or another project has proved it"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(customer): Found<customers::CustomerRow>,
    request: Request,
) -> Result<Changed<Created<WhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<WhatsappConfigCreateRequest>(request).await?.whatsapp_config;
    save::check_number(&ctx, &new.phone_number_id)?;
    if let Some(before) = change::before(&ctx).await? {
        return Ok(Changed::Before(before));
    }
    let check = match &new.access_token {
        Some(token) => save::check(&ctx, &new.phone_number_id, &new.business_account_id, token).await,
        None => Some(number_proof::without_token()),
    };
    change!(ctx, "whatsapp_config.create", tx => {
        customers::lock(tx, project, customer.id).await?.found()?;
        let access_token_id = match &new.access_token {
            Some(token) => Some(save::store_token(&ctx, tx, project, token).await?),
            None => None,
        };
        let now = ctx.now();
        let mut row = WhatsappConfigRow {
            id: ctx.new_id(),
            customer_id: Some(customer.id),
            name: new.name.clone(),
            phone_number_id: new.phone_number_id.clone(),
            waba_id: new.business_account_id.clone(),
            display_phone_number: check.as_ref().and_then(|check| check.display_phone_number.clone()),
            access_token_id,
            webhook_verify_token: new.webhook_verify_token.clone(),
            webhook_destination_url: new.webhook_destination_url.clone(),
            webhook_verified_at: whatsapp_configs::handshake(tx, project, &new.webhook_verify_token).await?,
            kind: new.kind,
            inbound_processing_enabled: new.inbound_processing_enabled,
            calls_enabled: new.calls_enabled,
            created_at: now,
            updated_at: now,
            proof: NumberProof::Unproved,
            proof_at: None,
            proof_failure: None,
        };
        if let Some(check) = &check {
            number_proof::enter(&mut row, check, now);
        }
        save::stored(whatsapp_configs::insert(tx, project, &row).await)?;
        number_proof::follow_up(&ctx, tx, project, &row).await?;
        Ok(Created(WhatsappConfig::of(&row)))
    })
}
