//! Pulls all templates of an account: what is new, what has changed, what is gone, in one commit.

use super::calls::pause;
use crate::{
    Context,
    templates::{self, doubt},
};
use domain::{
    Span,
    ids::{ProjectId, WhatsappTemplateId},
    job::SyncStatus,
    template::TemplateStatus,
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

/// Pulls that fail for a passing reason before it counts as lasting.
const ATTEMPTS: i64 = 5;

/// The versions of what we had before Meta was asked: what changed meanwhile is newer than Meta's answer.
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
        let rows = whatsapp_templates::of_account(tx, project, &run.waba_id).await?;
        let seen: Seen = rows.iter().map(|row| (row.id, row.version)).collect();
        let voice = templates::voice(ctx, tx, project, &run.waba_id, (None, Some(run.anchor_config_id))).await?;
        Ok(Some((run, seen, voice)))
    })?;
    let Some((run, seen, voice)) = begun else { return Ok(()) };
    let Some(voice) = voice else {
        let why = "no number of the business account has an access token";
        return fail(ctx, project, job, ("channel_auth", why), None).await;
    };
    match ctx.graph.templates(&run.waba_id, &voice.token).await {
        Ok(found) => apply(ctx, project, job, &seen, &found).await,
        Err(error) => {
            let retry = (error.is_passing() && job.attempt < ATTEMPTS).then(|| pause(job.attempt, &error));
            fail(ctx, project, job, (class(&error), &error.to_string()), retry).await
        }
    }
}

async fn find(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<Option<TemplateSyncRow>> {
    let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a pull's id".into() })?;
    let run = syncs::find(tx, project, id).await?;
    Ok(run.filter(|run| matches!(run.status, SyncStatus::Queued | SyncStatus::Running)))
}

/// A word for clients.
fn class(error: &CallError) -> &'static str {
    match error {
        CallError::Refused { class: ErrorClass::Auth, .. } => "channel_auth",
        CallError::Refused { class: ErrorClass::Throttle, .. } => "rate_limited",
        CallError::Refused { .. } => "refused",
        CallError::NotSent { .. } | CallError::Unknown { .. } => "unreachable",
    }
}

/// The pull goes on later, or is over. What went wrong can be read either way.
async fn fail(
    ctx: &Context,
    project: ProjectId,
    job: &JobRow,
    (class, why): (&str, &str),
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
        let mut pull = Pull { ctx, project, seen, rows: rows.into_iter().map(|row| (row.id, row)).collect() };
        run.templates_synced = i64::try_from(found.len()).unwrap_or(i64::MAX);
        // What is gone makes room for what has its name now.
        run.templates_removed = pull.remove_all_but(tx, found).await?;
        (run.templates_created, run.templates_updated) = pull.take_all(tx, &run.waba_id, found).await?;
        run.status = SyncStatus::Succeeded;
        run.finished_at = Some(ctx.now());
        (run.error_class, run.error_message) = (None, None);
        syncs::update(tx, project, &run).await?;
        jobs::finish(tx, project, job).await
    })
}

struct Pull<'a> {
    ctx: &'a Context,
    project: ProjectId,
    seen: &'a Seen,
    rows: HashMap<WhatsappTemplateId, WhatsappTemplateRow>,
}

impl Pull<'_> {
    /// The row for changing it, unless somebody did so since Meta was asked.
    async fn lock(&self, tx: &mut Tx<'_>, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
        let row = whatsapp_templates::lock(tx, self.project, id).await?;
        Ok(row.filter(|row| self.seen.get(&id) == Some(&row.version)))
    }

    async fn save(&mut self, tx: &mut Tx<'_>, from: TemplateStatus, mut row: WhatsappTemplateRow) -> Result<()> {
        row.updated_at = self.ctx.now();
        whatsapp_templates::update(tx, self.project, &row).await?;
        templates::tell(self.ctx, tx, self.project, (from, &row)).await?;
        self.rows.insert(row.id, row);
        Ok(())
    }

    async fn remove_all_but(&mut self, tx: &mut Tx<'_>, found: &[Template]) -> Result<i64> {
        let there: HashSet<&str> = found.iter().map(|template| template.id.as_str()).collect();
        let gone = |row: &&WhatsappTemplateRow| {
            let removed = row.status == TemplateStatus::Removed;
            !removed && row.meta_id.as_deref().is_some_and(|id| !there.contains(id))
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

    /// The draft that this template was submitted as, if nobody has heard of that yet.
    fn submitted(&self, found: &Template) -> Option<WhatsappTemplateId> {
        let submitted = |row: &&WhatsappTemplateRow| {
            let sent = row.status == TemplateStatus::Draft && row.in_doubt.as_deref() == Some(doubt::SUBMIT);
            sent && row.name == found.name && row.language_code == found.language
        };
        self.rows.values().find(submitted).map(|row| row.id)
    }

    /// How many are new, and how many have changed.
    async fn take_all(&mut self, tx: &mut Tx<'_>, waba_id: &str, found: &[Template]) -> Result<(i64, i64)> {
        let (mut created, mut updated) = (0, 0);
        let of_meta: HashMap<String, WhatsappTemplateId> =
            self.rows.values().filter_map(|row| Some((row.meta_id.clone()?, row.id))).collect();
        for template in found {
            let known = of_meta.get(&template.id).copied().or_else(|| self.submitted(template));
            let Some(id) = known else {
                // Another row of the name can only be somebody else's work of this moment: the next pull sees it.
                let name = (template.name.as_str(), Some(template.language.as_str()));
                if whatsapp_templates::named(tx, self.project, waba_id, name).await?.is_empty() {
                    let row = templates::learnt(self.ctx, waba_id, template);
                    whatsapp_templates::insert(tx, self.project, &row).await?;
                    created += 1;
                }
                continue;
            };
            let differs = self.rows.get(&id).cloned().is_some_and(|mut row| templates::take_over(&mut row, template));
            if !differs {
                continue;
            }
            let Some(mut row) = self.lock(tx, id).await? else { continue };
            let from = row.status;
            templates::take_over(&mut row, template);
            self.save(tx, from, row).await?;
            updated += 1;
        }
        Ok((created, updated))
    }
}
