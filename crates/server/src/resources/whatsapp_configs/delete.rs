//! `DELETE /whatsapp_configs/{config_id}`

use crate::{
    ApiError, Context,
    api::{Changed, change},
    auth::{ProjectContext, path_id},
    takeover,
};
use axum::{extract::Path, http::StatusCode};
use domain::ids::ProjectId;
use store::{
    Result, Tx, agent_whatsapp_configs, conversations, secrets,
    whatsapp_configs::{self, WhatsappConfigRow},
};

/// Delete a config
///
/// The number is free again, here and for other projects; its token and its links to agents are gone. Its open conversations
/// end and what agents do in them is stopped; they and their messages stay readable. What comes to the number from now on
/// is nobody's.
#[utoipa::path(
    delete, path = "/whatsapp_configs/{config_id}", operation_id = "delete_whatsapp_config", tag = "WhatsApp Configs",
    params(("config_id", description = "Config id.")), responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(config_id): Path<String>,
) -> std::result::Result<Changed<StatusCode>, ApiError> {
    let id = path_id(&config_id, "WhatsApp config")?;
    let project = ctx.project;
    let done = change!(ctx, "whatsapp_config.delete", tx => {
        let row = whatsapp_configs::lock(tx, project, id).await?.ok_or(ApiError::NotFound("WhatsApp config"))?;
        remove(&ctx, tx, project, &row).await?;
        Ok(StatusCode::NO_CONTENT)
    });
    ctx.wake.notify_one();
    done
}

/// Removes a config with all that depends on it.
pub(in crate::resources) async fn remove(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &WhatsappConfigRow,
) -> Result<()> {
    close_conversations(ctx, tx, project, row).await?;
    for link in agent_whatsapp_configs::of_config(tx, project, row.id).await? {
        agent_whatsapp_configs::delete(tx, project, link.id).await?;
    }
    whatsapp_configs::delete(tx, project, row).await?;
    match row.access_token_id {
        Some(token) => secrets::delete(tx, project, token).await,
        None => Ok(()),
    }
}

/// Ends a number's open conversations and stops what agents do in them.
pub(super) async fn close_conversations(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &WhatsappConfigRow,
) -> Result<()> {
    let now = ctx.now();
    for id in conversations::open_on(tx, project, (&row.phone_number_id, row.id)).await? {
        let Some(conversation) = conversations::lock(tx, project, id, now).await? else { continue };
        takeover::close(ctx, tx, project, &conversation, ("the WhatsApp number was removed", true), now).await?;
    }
    Ok(())
}
