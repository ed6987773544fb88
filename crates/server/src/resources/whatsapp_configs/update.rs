//! `PATCH /whatsapp_configs/{config_id}`

use super::{
    save,
    view::{WhatsappConfig, WhatsappConfigKind},
};
use crate::{
    ApiError,
    api::{Data, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::conversation::ConfigKind;
use serde::Deserialize;
use store::{
    secrets::{self, SecretKind},
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappConfigUpdateRequest {
    whatsapp_config: WhatsappConfigChange,
}

impl RequestBody for WhatsappConfigUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_config"];
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WhatsappConfigChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    /// Meta's id of the number. Changing it ends open conversations of the old number.
    #[schema(min_length = 1, max_length = 64, pattern = r"\S", nullable = false)]
    phone_number_id: Option<String>,
    /// Meta's id of the business account.
    #[schema(min_length = 1, max_length = 64, pattern = r"\S", nullable = false)]
    business_account_id: Option<String>,
    /// Token that Meta sends in the webhook handshake.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", nullable = false)]
    webhook_verify_token: Option<String>,
    /// Null removes it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2048, format = "uri")]
    webhook_destination_url: Option<Option<String>>,
    /// Stored encrypted and never returned; null removes it.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2048, pattern = r"^[!-~]+$", write_only)]
    access_token: Option<Option<String>>,
    #[schema(value_type = Option<WhatsappConfigKind>, nullable = false)]
    kind: Option<ConfigKind>,
    /// True lets agents answer inbound messages.
    #[schema(nullable = false)]
    inbound_processing_enabled: Option<bool>,
    #[schema(nullable = false)]
    calls_enabled: Option<bool>,
}

/// Update a config
///
/// For another number, Meta is asked for the display number as on registration.
#[utoipa::path(
    patch, path = "/whatsapp_configs/{config_id}", operation_id = "update_whatsapp_config", tag = "WhatsApp Configs",
    request_body = WhatsappConfigUpdateRequest, params(("config_id", description = "Config id.")),
    responses(
        (status = 200, description = "The config.", body = Data<WhatsappConfig>),
        (status = 409, description = "`number_taken`: another config has the number, here or in another project"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(config): Found<whatsapp_configs::WhatsappConfigRow>,
    request: Request,
) -> Result<Changed<Data<WhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WhatsappConfigUpdateRequest>(request).await?.whatsapp_config;
    if let Some(number) = &sent.phone_number_id {
        save::check_number(&ctx, number)?;
    }
    let shown = shown(&ctx, &config, &sent).await?;
    let done = change!(ctx, "whatsapp_config.update", tx => {
        let before = whatsapp_configs::lock(tx, project, config.id).await?.found()?;
        let mut row = sent.applied_to(&before);
        row.updated_at = ctx.now();
        if let Some((_, shown)) = shown.as_ref().filter(|(number, _)| *number == row.phone_number_id) {
            row.display_phone_number = Some(shown.clone());
        }
        if row.webhook_verify_token != before.webhook_verify_token {
            row.webhook_verified_at = whatsapp_configs::handshake(tx, project, &row.webhook_verify_token).await?;
        }
        if row.phone_number_id != before.phone_number_id {
            super::delete::close_conversations(&ctx, tx, project, &before).await?;
        }
        if let Some(token) = &sent.access_token {
            row.access_token_id = match token {
                Some(token) => Some(save::store_token(&ctx, tx, project, token).await?),
                None => None,
            };
        }
        save::stored(whatsapp_configs::update(tx, project, &before.phone_number_id, &row).await)?;
        if let Some(old) = before.access_token_id.filter(|old| Some(*old) != row.access_token_id) {
            secrets::delete(tx, project, old).await?;
        }
        Ok(Data { data: WhatsappConfig::of(&row) })
    });
    ctx.wake.notify_one();
    done
}

/// A changed number and its display number, if the update makes a request to Meta worthwhile.
async fn shown(
    ctx: &ProjectContext,
    row: &WhatsappConfigRow,
    sent: &WhatsappConfigChange,
) -> Result<Option<(String, String)>, ApiError> {
    let after = sent.applied_to(row);
    let new = after.phone_number_id != row.phone_number_id || sent.access_token.is_some();
    if !new || after.display_phone_number.is_some() {
        return Ok(None);
    }
    let token = match (&sent.access_token, row.access_token_id) {
        (Some(token), _) => token.clone(),
        (None, Some(id)) => {
            let mut reader = ctx.store.read().await?;
            secrets::reveal(&mut reader.conn(), &ctx.vault, ctx.project, id, SecretKind::AccessToken).await?
        }
        (None, None) => None,
    };
    let Some(token) = token else { return Ok(None) };
    let shown = save::shown(ctx, &after.phone_number_id, &token).await;
    Ok(shown.map(|shown| (after.phone_number_id, shown)))
}

impl WhatsappConfigChange {
    /// Applies the sent fields except the token. Resets details of another number or handshake.
    fn applied_to(&self, row: &WhatsappConfigRow) -> WhatsappConfigRow {
        let mut row = row.clone();
        row.kind = self.kind.unwrap_or(row.kind);
        for (old, new) in [(&mut row.name, &self.name), (&mut row.waba_id, &self.business_account_id)] {
            if let Some(new) = new {
                old.clone_from(new);
            }
        }
        if let Some(number) = self.phone_number_id.as_ref().filter(|number| **number != row.phone_number_id) {
            row.phone_number_id.clone_from(number);
            row.display_phone_number = None;
        }
        if let Some(token) = self.webhook_verify_token.as_ref().filter(|token| **token != row.webhook_verify_token) {
            row.webhook_verify_token.clone_from(token);
            row.webhook_verified_at = None;
        }
        if let Some(url) = &self.webhook_destination_url {
            row.webhook_destination_url.clone_from(url);
        }
        if let Some(enabled) = self.inbound_processing_enabled {
            row.inbound_processing_enabled = enabled;
        }
        if let Some(enabled) = self.calls_enabled {
            row.calls_enabled = enabled;
        }
        row
    }
}
