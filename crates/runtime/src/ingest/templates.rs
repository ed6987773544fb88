//! Template webhooks: applied at once in each project with a number of the account.
//!
//! Webhooks arrive late and in any order, so a job then looks the template up at Meta, and its
//! result is authoritative.

use crate::{Context, senders, templates};
use domain::{
    ids::ProjectId,
    template::{TemplateStatus, Unconfirmed},
};
use gateways::whatsapp::webhook::TemplateUpdate;
use serde_json::Value;
use store::{
    Result, Tx, unscoped,
    whatsapp_templates::{self, WhatsappTemplateRow},
};

/// Applies a change of an account to its template. Returns false if it is about no template or no
/// project has the account.
pub(super) async fn store(
    ctx: &Context,
    tx: &mut Tx<'_>,
    waba_id: Option<&str>,
    field: &str,
    change: &Value,
) -> Result<bool> {
    let (Some(waba_id), Some(update)) = (waba_id, TemplateUpdate::read(field, change)) else { return Ok(false) };
    let projects = unscoped::projects_of_account(tx, waba_id).await?;
    for project in &projects {
        match find(tx, *project, waba_id, &update).await? {
            Some(row) => apply(ctx, tx, *project, row, &update).await?,
            // It was created elsewhere: sync the account.
            None => {
                if let Some(sender) = senders::sender_of_account(ctx, tx, *project, waba_id, None, None).await? {
                    templates::queue_sync(ctx, tx, *project, &sender.config).await?;
                }
            }
        }
    }
    Ok(!projects.is_empty())
}

/// The template by Meta's id, or the draft whose submission is unconfirmed.
async fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    waba_id: &str,
    update: &TemplateUpdate,
) -> Result<Option<WhatsappTemplateRow>> {
    if let Some(row) = whatsapp_templates::of_meta(tx, project, &update.template_id).await? {
        return whatsapp_templates::lock(tx, project, row.id).await;
    }
    let (Some(name), Some(language)) = (&update.name, &update.language) else { return Ok(None) };
    let taken = whatsapp_templates::named(tx, project, waba_id, name, Some(language)).await?;
    let draft = whatsapp_templates::draft(tx, project, waba_id, name, language).await?;
    let Some(draft) = draft.filter(|_| taken.is_empty()) else { return Ok(None) };
    let row = whatsapp_templates::lock(tx, project, draft.id).await?;
    Ok(row.filter(|row| row.in_doubt == Some(Unconfirmed::Submit)))
}

async fn apply(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    mut row: WhatsappTemplateRow,
    update: &TemplateUpdate,
) -> Result<()> {
    let (now, from) = (ctx.now(), row.status);
    // A late webhook does not bring a removed template back.
    if from != TemplateStatus::Removed {
        row.meta_id = Some(update.template_id.clone());
        if let Some(word) = &update.status {
            templates::apply_meta_status(&mut row, word);
            row.rejected_reason.clone_from(&update.reason);
        } else if from == TemplateStatus::Draft {
            row.status = TemplateStatus::Submitted;
        }
        if let Some(category) = update.category.as_deref().and_then(templates::category) {
            category.clone_into(&mut row.category);
        }
        if update.quality.is_some() {
            row.quality.clone_from(&update.quality);
        }
    }
    row.in_doubt = Some(Unconfirmed::Partial);
    row.updated_at = now;
    whatsapp_templates::update(tx, project, &row).await?;
    templates::append_status_event(ctx, tx, project, from, &row).await?;
    templates::queue_refresh(ctx, tx, project, row.id, now).await
}
