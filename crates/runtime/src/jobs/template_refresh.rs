//! Looks at one template at Meta, after a call whose end nobody knows or news that a webhook told half of, and takes over
//! what is there.

use super::calls::{later, pause};
use crate::{
    Context,
    templates::{self, Voice},
};
use domain::{Span, ids::ProjectId, template::TemplateStatus};
use gateways::whatsapp::{CallError, templates::Template};
use store::{
    Error, Result, Tx, jobs,
    jobs::JobRow,
    transact,
    whatsapp_templates::{self, WhatsappTemplateRow},
};

/// Looks that fail before a template is left as it is: about three hours.
const ATTEMPTS: i64 = 12;

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a template's id".into() })?;
    let (seen, voice) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let row = whatsapp_templates::find(&mut conn, project, id).await?.filter(|row| row.in_doubt.is_some());
        let voice = match &row {
            Some(row) => templates::voice(ctx, &mut conn, project, &row.waba_id, (None, None)).await?,
            None => None,
        };
        (row, voice)
    };
    let Some(seen) = seen else { return finish(ctx, project, job).await };
    let Some(voice) = voice else { return give_up(ctx, project, job, "no number of its account has a token").await };
    match ask(ctx, &voice, &seen).await {
        Ok(found) => take(ctx, project, job, &seen, found).await,
        Err(error) if job.attempt >= ATTEMPTS => give_up(ctx, project, job, &error.to_string()).await,
        Err(error) => later(ctx, project, job, pause(job.attempt, &error), &error.to_string()).await,
    }
}

/// The template at Meta; `None` if it has none.
async fn ask(
    ctx: &Context,
    voice: &Voice,
    row: &WhatsappTemplateRow,
) -> std::result::Result<Option<Template>, CallError> {
    let Some(meta_id) = &row.meta_id else {
        return ctx.graph.template_named(&row.waba_id, &voice.token, &row.name, &row.language_code).await;
    };
    match ctx.graph.template(meta_id, &voice.token).await {
        Ok(template) => Ok(Some(template)),
        Err(error) if error.is_missing_object() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn take(
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
            // Somebody wrote it meanwhile: what Meta said may be older than that.
            return jobs::again(tx, project, job, now + Span::from_secs(1), "").await;
        }
        let from = row.status;
        match &found {
            Some(found) if may_take(tx, project, &row, found).await? => {
                templates::take_over(&mut row, found);
            }
            Some(_) => {}
            // Meta never got it: it is a draft as before.
            None if row.meta_id.is_none() => {}
            None => row.status = TemplateStatus::Removed,
        }
        row.in_doubt = None;
        row.updated_at = now;
        whatsapp_templates::update(tx, project, &row).await?;
        templates::tell(ctx, tx, project, (from, &row)).await?;
        jobs::finish(tx, project, job).await
    })
}

/// Whether the row can become what Meta has: no other row is that already.
async fn may_take(tx: &mut Tx<'_>, project: ProjectId, row: &WhatsappTemplateRow, found: &Template) -> Result<bool> {
    let name = (found.name.as_str(), Some(found.language.as_str()));
    let others = whatsapp_templates::named(tx, project, &row.waba_id, name).await?;
    let known = whatsapp_templates::of_meta(tx, project, &found.id).await?;
    Ok(others.iter().chain(&known).all(|other| other.id == row.id))
}

async fn finish(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    transact!(ctx.store, "template.done", tx => jobs::finish(tx, project, job).await)
}

/// What was marked stays marked: the next pull, webhook or call of its account clears it.
async fn give_up(ctx: &Context, project: ProjectId, job: &JobRow, why: &str) -> Result<()> {
    tracing::warn!(template = %job.payload, why, "a template could not be looked up");
    finish(ctx, project, job).await
}
