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
    resources::webhook_endpoints,
};
use axum::extract::Request;
use domain::{
    Timestamp,
    conversation::{ConfigKind, NumberProof},
    ids::SecretId,
};
use runtime::{
    hooks,
    number_proof::{self, Check},
};
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
    /// Meta's id of the number, digits only. Changing it ends open conversations of the old number.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[1-9][0-9]*$", nullable = false)]
    phone_number_id: Option<String>,
    /// Meta's id of the business account, digits only.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[1-9][0-9]*$", nullable = false)]
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
/// Another number, business account or access token is checked at Meta as on registration. With
/// another token alone, the config receives messages until the check is done; otherwise they wait.
#[utoipa::path(
    patch, path = "/whatsapp_configs/{config_id}", operation_id = "update_whatsapp_config", tag = "WhatsApp Configs",
    request_body = WhatsappConfigUpdateRequest, params(("config_id", description = "Config id.")),
    responses(
        (status = 200, description = "The config.", body = Data<WhatsappConfig>),
        (status = 409, description = "`number_taken`: the project has a config with the number, or another project has proved it"),
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
    let asked = ask(&ctx, &config, &sent).await?;
    let done = change!(ctx, "whatsapp_config.update", tx => {
        let before = whatsapp_configs::lock(tx, project, config.id).await?.found()?;
        let mut row = sent.applied_to(&before);
        row.updated_at = ctx.now();
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
        apply_proof(&before, &mut row, asked.as_ref(), ctx.now());
        save::stored(whatsapp_configs::update(tx, project, &before.phone_number_id, &row).await)?;
        number_proof::append_event(&ctx, tx, project, row.id).await?;
        webhook_endpoints::follow_destination(&ctx, tx, project, &row).await?;
        if proof_of(&row) != proof_of(&before) {
            hooks::number_health(&ctx, tx, project, &row, ctx.now()).await?;
            number_proof::follow_up(&ctx, tx, project, &row).await?;
        }
        number_proof::released(&ctx, tx, &before.phone_number_id).await?;
        if let Some(old) = before.access_token_id.filter(|old| Some(*old) != row.access_token_id) {
            secrets::delete(tx, project, old).await?;
        }
        Ok(Data { data: WhatsappConfig::of(&row) })
    });
    ctx.wake.notify_one();
    done
}

/// A check at Meta, and the row that it was made for.
struct Asked {
    row: WhatsappConfigRow,
    check: Check,
}

/// Asks Meta if the update changes what the proof is about. `None` if it does not, or if Meta does
/// not answer in time.
async fn ask(
    ctx: &ProjectContext,
    row: &WhatsappConfigRow,
    sent: &WhatsappConfigChange,
) -> Result<Option<Asked>, ApiError> {
    let after = sent.applied_to(row);
    let moved = (&after.phone_number_id, &after.waba_id) != (&row.phone_number_id, &row.waba_id);
    if !moved && sent.access_token.is_none() {
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
    let check = match token {
        Some(token) => save::check(ctx, &after.phone_number_id, &after.waba_id, &token).await,
        None => Some(number_proof::without_token()),
    };
    Ok(check.map(|check| Asked { row: after, check }))
}

/// The parts of a config that its proof is about, and the state of the proof.
fn proof_of(row: &WhatsappConfigRow) -> (&str, &str, Option<SecretId>, NumberProof) {
    (&row.phone_number_id, &row.waba_id, row.access_token_id, row.proof)
}

/// Withdraws the proof of a config that changed, and enters the check that was made for it.
fn apply_proof(before: &WhatsappConfigRow, row: &mut WhatsappConfigRow, asked: Option<&Asked>, now: Timestamp) {
    let moved = (&row.phone_number_id, &row.waba_id) != (&before.phone_number_id, &before.waba_id);
    let same_token = row.access_token_id == before.access_token_id;
    if moved {
        (row.proof, row.proof_at, row.proof_failure) = (NumberProof::Unproved, None, None);
    } else if same_token {
        return;
    } else if row.proof.receives() {
        // With the earlier token it has proved this number.
        row.proof = NumberProof::Assumed;
    }
    // Another update may have come between the check and this transaction.
    let is_about = |asked: &&Asked| {
        (&asked.row.phone_number_id, &asked.row.waba_id) == (&row.phone_number_id, &row.waba_id)
            && (!same_token || asked.row.access_token_id == row.access_token_id)
    };
    let Some(asked) = asked.filter(is_about) else { return };
    if asked.check.display_phone_number.is_some() {
        row.display_phone_number.clone_from(&asked.check.display_phone_number);
    }
    number_proof::enter(row, &asked.check, now);
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
