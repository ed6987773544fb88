//! Looks one template up at Meta and applies what it has: after a call with an unknown result, or
//! after a webhook that reported a part of the new state.

use super::retry::{backoff, postpone};
use crate::{
    Context,
    senders::{self, Sender},
    templates,
};
use domain::{Span, ids::ProjectId, template::TemplateStatus};
use gateways::whatsapp::{CallError, templates::Template};
use store::{
    Error, Result, Tx, jobs,
    jobs::JobRow,
    transact,
    whatsapp_templates::{self, WhatsappTemplateRow},
};

/// Spread over about three hours.
const MAX_ATTEMPTS: i64 = 12;

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a template id".into() })?;
    let (seen, sender) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let row = whatsapp_templates::find(&mut conn, project, id).await?.filter(|row| row.in_doubt.is_some());
        let sender = match &row {
            Some(row) => senders::sender_of_account(ctx, &mut conn, project, &row.waba_id, None, None).await?,
            None => None,
        };
        (row, sender)
    };
    let Some(seen) = seen else { return finish(ctx, project, job).await };
    let Some(sender) = sender else {
        return give_up(ctx, project, job, "no number of the account has an access token").await;
    };
    match fetch(ctx, &sender, &seen).await {
        Ok(found) => apply(ctx, project, job, &seen, found).await,
        Err(error) if job.attempt >= MAX_ATTEMPTS => give_up(ctx, project, job, &error.to_string()).await,
        Err(error) => postpone(ctx, project, job, backoff(job.attempt, &error), &error.to_string()).await,
    }
}

/// `None` if Meta does not have the template.
async fn fetch(
    ctx: &Context,
    sender: &Sender,
    row: &WhatsappTemplateRow,
) -> std::result::Result<Option<Template>, CallError> {
    let Some(meta_id) = &row.meta_id else {
        return ctx.graph.template_named(&row.waba_id, &sender.token, &row.name, &row.language_code).await;
    };
    match ctx.graph.template(meta_id, &sender.token).await {
        Ok(template) => Ok(Some(template)),
        Err(error) if error.is_missing_object() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn apply(
    ctx: &Context,
    project: ProjectId,
    job: &JobRow,
    seen: &WhatsappTemplateRow,
    found: Option<Template>,
) -> Result<()> {
    transact!(ctx.store, "template.refresh", tx => {
        let now = ctx.now();
        jobs::hold(tx, project, job, &ctx.node).await?;
        let Some(mut row) = whatsapp_templates::lock(tx, project, seen.id).await? else {
            return jobs::finish(tx, project, job).await;
        };
        if row.version != seen.version {
            // The row changed since, so Meta's answer may be outdated.
            return jobs::again(tx, project, job, now + Span::from_secs(1), "").await;
        }
        let from = row.status;
        match &found {
            Some(found) if may_apply(tx, project, &row, found).await? => {
                templates::apply_meta(&mut row, found);
            }
            Some(_) => {}
            // Meta never received it, so it is a draft again.
            None if row.meta_id.is_none() => {}
            None => row.status = TemplateStatus::Removed,
        }
        row.in_doubt = None;
        row.updated_at = now;
        whatsapp_templates::update(tx, project, &row).await?;
        templates::append_status_event(ctx, tx, project, from, &row).await?;
        jobs::finish(tx, project, job).await
    })
}

/// True unless another row already stands for what Meta has.
async fn may_apply(tx: &mut Tx<'_>, project: ProjectId, row: &WhatsappTemplateRow, found: &Template) -> Result<bool> {
    let (name, language) = (&found.name, Some(found.language.as_str()));
    let others = whatsapp_templates::named(tx, project, &row.waba_id, name, language).await?;
    let known = whatsapp_templates::of_meta(tx, project, &found.id).await?;
    Ok(others.iter().chain(&known).all(|other| other.id == row.id))
}

async fn finish(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    transact!(ctx.store, "template.done", tx => jobs::finish(tx, project, job).await)
}

/// The mark stays: the next sync, webhook or call clears it.
async fn give_up(ctx: &Context, project: ProjectId, job: &JobRow, why: &str) -> Result<()> {
    tracing::warn!(template = %job.payload, why, "template look-up failed; giving up");
    finish(ctx, project, job).await
}
