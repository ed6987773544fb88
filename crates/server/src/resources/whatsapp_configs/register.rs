//! A new config: its fields, its check at Meta, and its row. For the API and for the page of setup
//! links.

use super::{save, view::WhatsappConfigKind};
use crate::{ApiError, AppState, api::RequestBody, resources::webhook_endpoints};
use domain::{
    conversation::{ConfigKind, NumberProof},
    ids::{CustomerId, ProjectId},
};
use runtime::number_proof::{self, Check};
use serde::Deserialize;
use store::{
    Tx,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(in crate::resources) struct WhatsappConfigCreateRequest {
    pub(in crate::resources) whatsapp_config: NewWhatsappConfig,
}

impl RequestBody for WhatsappConfigCreateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_config"];
}

#[derive(Deserialize, ToSchema)]
pub(in crate::resources) struct NewWhatsappConfig {
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

impl NewWhatsappConfig {
    /// Refuses the shared sandbox number.
    pub(in crate::resources) fn check_number(&self, ctx: &AppState) -> Result<(), ApiError> {
        save::check_number(ctx, &self.phone_number_id)
    }

    /// Asks Meta; `None` if it does not answer in time. No transaction may be open.
    pub(in crate::resources) async fn check(&self, ctx: &AppState) -> Option<Check> {
        match &self.access_token {
            Some(token) => save::check(ctx, &self.phone_number_id, &self.business_account_id, token).await,
            None => Some(number_proof::without_token()),
        }
    }

    /// Stores the config with the result of its check, and queues what follows from it. The
    /// customer's row must have been locked.
    pub(in crate::resources) async fn insert(
        &self,
        ctx: &AppState,
        tx: &mut Tx<'_>,
        project: ProjectId,
        customer: CustomerId,
        check: Option<&Check>,
    ) -> Result<WhatsappConfigRow, ApiError> {
        let access_token_id = match &self.access_token {
            Some(token) => Some(save::store_token(ctx, tx, project, token).await?),
            None => None,
        };
        let now = ctx.now();
        let mut row = WhatsappConfigRow {
            id: ctx.new_id(),
            customer_id: Some(customer),
            name: self.name.clone(),
            phone_number_id: self.phone_number_id.clone(),
            waba_id: self.business_account_id.clone(),
            display_phone_number: check.and_then(|check| check.display_phone_number.clone()),
            access_token_id,
            webhook_verify_token: self.webhook_verify_token.clone(),
            webhook_destination_url: self.webhook_destination_url.clone(),
            webhook_verified_at: whatsapp_configs::handshake(tx, project, &self.webhook_verify_token).await?,
            kind: self.kind,
            inbound_processing_enabled: self.inbound_processing_enabled,
            calls_enabled: self.calls_enabled,
            created_at: now,
            updated_at: now,
            proof: NumberProof::Unproved,
            proof_at: None,
            proof_failure: None,
        };
        if let Some(check) = check {
            number_proof::enter(&mut row, check, now);
        }
        save::stored(whatsapp_configs::insert(tx, project, &row).await)?;
        number_proof::append_event(ctx, tx, project, row.id).await?;
        webhook_endpoints::follow_destination(ctx, tx, project, &row).await?;
        number_proof::follow_up(ctx, tx, project, &row).await?;
        Ok(row)
    }
}
