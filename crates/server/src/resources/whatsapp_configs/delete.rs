//! `DELETE /whatsapp_configs/{config_id}`

use crate::{
    ApiError, AppState,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::webhook_endpoints,
};
use axum::http::StatusCode;
use domain::{
    conversation::ConversationStatus,
    ids::{ConversationId, ProjectId},
};
use runtime::{number_proof, ownership};
use store::{
    Result, Tx, agent_whatsapp_configs, conversations, hook_endpoints, secrets, transact,
    whatsapp_configs::{self, WhatsappConfigRow},
};

/// Conversations ended per transaction.
const AT_ONCE: i64 = 100;

/// Delete a config
///
/// Frees the number for this and other projects, and deletes its token and its links to agents.
/// Ends its open conversations and their executions; conversations and messages stay readable.
/// Later messages to the number are ignored. For a number with very many conversations the request
/// may end some and answer 408; repeat it to end the rest.
#[utoipa::path(
    delete, path = "/whatsapp_configs/{config_id}", operation_id = "delete_whatsapp_config", tag = "WhatsApp Configs",
    params(("config_id", description = "Config id.")), responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(config): Found<whatsapp_configs::WhatsappConfigRow>,
) -> std::result::Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    close_in_batches(&ctx, project, &config).await?;
    let done = change!(ctx, "whatsapp_config.delete", tx => {
        let row = whatsapp_configs::lock(tx, project, config.id).await?.found()?;
        remove(&ctx, tx, project, &row).await?;
        Ok(StatusCode::NO_CONTENT)
    });
    ctx.wake.notify_one();
    done
}

/// Deletes a config and everything that depends on it.
pub(in crate::resources) async fn remove(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &WhatsappConfigRow,
) -> Result<()> {
    close_conversations(ctx, tx, project, row).await?;
    for link in agent_whatsapp_configs::of_config(tx, project, row.id).await? {
        agent_whatsapp_configs::delete(tx, project, link.id).await?;
    }
    for endpoint in hook_endpoints::of_scope(tx, project, row.id.uuid()).await? {
        webhook_endpoints::remove(tx, project, &endpoint).await?;
    }
    whatsapp_configs::delete(tx, project, row).await?;
    number_proof::append_event(ctx, tx, project, row.id).await?;
    number_proof::released(ctx, tx, &row.phone_number_id).await?;
    match row.access_token_id {
        Some(token) => secrets::delete(tx, project, token).await,
        None => Ok(()),
    }
}

/// Ends a number's open conversations and stops their executions.
pub(super) async fn close_conversations(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &WhatsappConfigRow,
) -> Result<()> {
    let open = conversations::open_on(tx, project, row, i64::MAX).await?;
    close(ctx, tx, project, &open).await
}

/// Ends conversations of a number in batches, so that other writes are not blocked and progress is
/// kept. Remaining and new ones end with the number.
pub(in crate::resources) async fn close_in_batches(
    ctx: &AppState,
    project: ProjectId,
    row: &WhatsappConfigRow,
) -> Result<()> {
    loop {
        let open = {
            let mut reader = ctx.store.read().await?;
            conversations::open_on(&mut reader.conn(), project, row, AT_ONCE).await?
        };
        if i64::try_from(open.len()).is_ok_and(|count| count < AT_ONCE) {
            return Ok(());
        }
        transact!(ctx.store, "whatsapp_config.close", tx => close(ctx, tx, project, &open).await)?;
    }
}

async fn close(ctx: &AppState, tx: &mut Tx<'_>, project: ProjectId, open: &[ConversationId]) -> Result<()> {
    let now = ctx.now();
    for id in open {
        // It may have ended since it was listed.
        let conversation =
            conversations::lock(tx, project, *id, now).await?.filter(|row| row.status == ConversationStatus::Active);
        let Some(conversation) = conversation else { continue };
        ownership::close(ctx, tx, project, &conversation, "the WhatsApp number was removed", true, now).await?;
    }
    Ok(())
}
