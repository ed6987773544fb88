//! Syncs all templates of an account in one commit: new, changed and removed ones.

use super::retry::backoff;
use crate::{Context, senders, templates};
use domain::{
    Span,
    ids::{ProjectId, WhatsappTemplateId},
    job::SyncStatus,
    template::{TemplateStatus, Unconfirmed},
};
use gateways::whatsapp::{CallError, ErrorClass, templates::Template};
use std::collections::{HashMap, HashSet};
use store::{
    Error, Result, Tx, jobs,
    jobs::JobRow,
    transact,
    whatsapp_template_syncs::{self as syncs, TemplateSyncRow},
    whatsapp_templates::{self, WhatsappTemplateRow},
};

/// Attempts before a temporary failure counts as permanent.
const MAX_ATTEMPTS: i64 = 5;

/// Versions of our rows before Meta was called: a row that changed since is newer than Meta's
/// answer.
type Seen = HashMap<WhatsappTemplateId, i64>;

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let begun = transact!(ctx.store, "template.sync.begin", tx => {
        jobs::hold(tx, project, job, &ctx.node).await?;
        let Some(mut run) = find(tx, project, job).await? else {
            jobs::finish(tx, project, job).await?;
            return Ok(None);
        };
        run.status = SyncStatus::Running;
        run.started_at = run.started_at.or(Some(ctx.now()));
        run.config_ids = templates::config_ids(tx, project, &run.waba_id).await?;
        syncs::update(tx, project, &run).await?;
        templates::append_sync_event(ctx, tx, project, &run).await?;
        let rows = whatsapp_templates::of_account(tx, project, &run.waba_id).await?;
        let seen: Seen = rows.iter().map(|row| (row.id, row.version)).collect();
        let sender = senders::sender_of_account(ctx, tx, project, &run.waba_id, None, Some(run.anchor_config_id)).await?;
        Ok(Some((run, seen, sender)))
    })?;
    let Some((run, seen, sender)) = begun else { return Ok(()) };
    let Some(sender) = sender else {
        let why = "no number of the business account has an access token";
        return fail(ctx, project, job, "channel_auth", why, None).await;
    };
    match ctx.graph.templates(&run.waba_id, &sender.token).await {
        Ok(found) => apply(ctx, project, job, &seen, &found).await,
        Err(error) => {
            let retry = (error.is_passing() && job.attempt < MAX_ATTEMPTS).then(|| backoff(job.attempt, &error));
            fail(ctx, project, job, class(&error), &error.to_string(), retry).await
        }
    }
}

async fn find(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<Option<TemplateSyncRow>> {
    let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a template sync id".into() })?;
    let run = syncs::find(tx, project, id).await?;
    Ok(run.filter(|run| matches!(run.status, SyncStatus::Queued | SyncStatus::Running)))
}

/// The `error_class` shown to clients.
fn class(error: &CallError) -> &'static str {
    match error {
        CallError::Refused { class: ErrorClass::Auth, .. } => "channel_auth",
        CallError::Refused { class: ErrorClass::Throttle, .. } => "rate_limited",
        CallError::Refused { .. } => "refused",
        CallError::NotSent { .. } | CallError::Unknown { .. } => "unreachable",
    }
}

/// Retries later, or ends the sync as failed. The error is shown either way.
async fn fail(
    ctx: &Context,
    project: ProjectId,
    job: &JobRow,
    class: &str,
    why: &str,
    retry: Option<Span>,
) -> Result<()> {
    transact!(ctx.store, "template.sync.fail", tx => {
        let now = ctx.now();
        jobs::hold(tx, project, job, &ctx.node).await?;
        let Some(mut run) = find(tx, project, job).await? else { return jobs::finish(tx, project, job).await };
        run.error_class = Some(class.to_owned());
        run.error_message = Some(why.to_owned());
        if retry.is_none() {
            run.status = SyncStatus::Failed;
            run.finished_at = Some(now);
        }
        syncs::update(tx, project, &run).await?;
        templates::append_sync_event(ctx, tx, project, &run).await?;
        match retry {
            Some(wait) => jobs::again(tx, project, job, now + wait, why).await,
            None => jobs::finish(tx, project, job).await,
        }
    })
}

async fn apply(ctx: &Context, project: ProjectId, job: &JobRow, seen: &Seen, found: &[Template]) -> Result<()> {
    transact!(ctx.store, "template.sync", tx => {
        jobs::hold(tx, project, job, &ctx.node).await?;
        let Some(mut run) = find(tx, project, job).await? else { return jobs::finish(tx, project, job).await };
        let rows = whatsapp_templates::of_account(tx, project, &run.waba_id).await?;
        let mut sync = SyncRun { ctx, project, seen, rows: rows.into_iter().map(|row| (row.id, row)).collect() };
        run.templates_synced = i64::try_from(found.len()).unwrap_or(i64::MAX);
        // Removed templates first: a new one may have the name of a removed one.
        run.templates_removed = sync.remove_missing(tx, found).await?;
        (run.templates_created, run.templates_updated) = sync.apply_all(tx, &run.waba_id, found).await?;
        run.status = SyncStatus::Succeeded;
        run.finished_at = Some(ctx.now());
        (run.error_class, run.error_message) = (None, None);
        syncs::update(tx, project, &run).await?;
        templates::append_sync_event(ctx, tx, project, &run).await?;
        jobs::finish(tx, project, job).await
    })
}

struct SyncRun<'a> {
    ctx: &'a Context,
    project: ProjectId,
    seen: &'a Seen,
    rows: HashMap<WhatsappTemplateId, WhatsappTemplateRow>,
}

impl SyncRun<'_> {
    /// Locks the row, unless it changed since Meta was called.
    async fn lock(&self, tx: &mut Tx<'_>, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
        let row = whatsapp_templates::lock(tx, self.project, id).await?;
        Ok(row.filter(|row| self.seen.get(&id) == Some(&row.version)))
    }

    async fn save(&mut self, tx: &mut Tx<'_>, from: TemplateStatus, mut row: WhatsappTemplateRow) -> Result<()> {
        row.updated_at = self.ctx.now();
        whatsapp_templates::update(tx, self.project, &row).await?;
        templates::append_status_event(self.ctx, tx, self.project, from, &row).await?;
        self.rows.insert(row.id, row);
        Ok(())
    }

    async fn remove_missing(&mut self, tx: &mut Tx<'_>, found: &[Template]) -> Result<i64> {
        let meta_ids: HashSet<&str> = found.iter().map(|template| template.id.as_str()).collect();
        let gone = |row: &&WhatsappTemplateRow| {
            let removed = row.status == TemplateStatus::Removed;
            !removed && row.meta_id.as_deref().is_some_and(|id| !meta_ids.contains(id))
        };
        let gone: Vec<WhatsappTemplateId> = self.rows.values().filter(gone).map(|row| row.id).collect();
        let mut count = 0;
        for id in gone {
            let Some(mut row) = self.lock(tx, id).await? else { continue };
            let from = std::mem::replace(&mut row.status, TemplateStatus::Removed);
            row.in_doubt = None;
            self.save(tx, from, row).await?;
            count += 1;
        }
        Ok(count)
    }

    /// The draft that was submitted as this template, while its submission is unconfirmed.
    fn submitted(&self, found: &Template) -> Option<WhatsappTemplateId> {
        let submitted = |row: &&WhatsappTemplateRow| {
            let sent = row.status == TemplateStatus::Draft && row.in_doubt == Some(Unconfirmed::Submit);
            sent && row.name == found.name && row.language_code == found.language
        };
        self.rows.values().find(submitted).map(|row| row.id)
    }

    /// Returns the numbers of new and of changed templates.
    async fn apply_all(&mut self, tx: &mut Tx<'_>, waba_id: &str, found: &[Template]) -> Result<(i64, i64)> {
        let (mut created, mut updated) = (0, 0);
        let of_meta: HashMap<String, WhatsappTemplateId> =
            self.rows.values().filter_map(|row| Some((row.meta_id.clone()?, row.id))).collect();
        for template in found {
            let known = of_meta.get(&template.id).copied().or_else(|| self.submitted(template));
            let Some(id) = known else {
                // A row of this name was created since; the next sync handles it.
                let (name, language) = (&template.name, Some(template.language.as_str()));
                if whatsapp_templates::named(tx, self.project, waba_id, name, language).await?.is_empty() {
                    let row = templates::row_from_meta(self.ctx, waba_id, template);
                    whatsapp_templates::insert(tx, self.project, &row).await?;
                    created += 1;
                }
                continue;
            };
            let differs = self.rows.get(&id).cloned().is_some_and(|mut row| templates::apply_meta(&mut row, template));
            if !differs {
                continue;
            }
            let Some(mut row) = self.lock(tx, id).await? else { continue };
            let from = row.status;
            templates::apply_meta(&mut row, template);
            self.save(tx, from, row).await?;
            updated += 1;
        }
        Ok((created, updated))
    }
}
