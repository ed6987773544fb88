//! Message templates: applying what Meta reports to our rows, and the jobs that ask Meta.
//!
//! Meta has no idempotency key for templates either. So a call that changes a template is recorded
//! before it is made (`in_doubt`), together with a job that looks the template up a minute later.
//! The first source to report Meta's state (the call's answer, a webhook, a sync or that job)
//! applies it and clears the mark. A process that dies after Meta accepted the call loses nothing.

use crate::{Context, events, hooks};
use domain::{
    Span, Timestamp,
    event::Event,
    ids::{ProjectId, WhatsappTemplateId},
    job::{JobKind, SyncStatus},
    template::{NAMED, POSITIONAL, TemplateStatus},
};
use gateways::whatsapp::templates::Template;
use serde_json::{Value, json};
use store::{
    Conn, Result, Tx,
    jobs::{self, NewJob},
    whatsapp_configs::{self, WhatsappConfigRow},
    whatsapp_template_syncs::{self, TemplateSyncRow},
    whatsapp_templates::WhatsappTemplateRow,
};

/// Delay between a call that changes a template and its look-up.
pub const REFRESH_AFTER: Span = Span::from_secs(60);

/// Queues a look-up of one template at Meta.
pub async fn queue_refresh(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: WhatsappTemplateId,
    at: Timestamp,
) -> Result<()> {
    let key = id.to_string();
    let job = NewJob { id: ctx.new_uuid(), kind: JobKind::TemplateRefresh, key: &key, payload: &key, run_at: at };
    jobs::put(&mut tx.scope(project, ctx.now()), job).await
}

/// Queues a sync of an account's templates, called with this number's token. Returns the account's
/// unfinished sync, and whether it is new.
pub async fn queue_sync(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: &WhatsappConfigRow,
) -> Result<(TemplateSyncRow, bool)> {
    let now = ctx.now();
    let new = TemplateSyncRow {
        id: ctx.new_id(),
        waba_id: config.waba_id.clone(),
        anchor_config_id: config.id,
        anchor: json!({"id": config.id, "name": config.name, "phone_number_id": config.phone_number_id,
            "business_account_id": config.waba_id, "customer_id": config.customer_id})
        .to_string(),
        job_id: ctx.new_uuid(),
        status: SyncStatus::Queued,
        templates_synced: 0,
        templates_created: 0,
        templates_updated: 0,
        templates_removed: 0,
        config_ids: config_ids(tx, project, &config.waba_id).await?,
        error_class: None,
        error_message: None,
        queued_at: now,
        started_at: None,
        finished_at: None,
    };
    loop {
        if whatsapp_template_syncs::queue(tx, project, &new).await? {
            let key = new.id.to_string();
            let job = NewJob { id: new.job_id, kind: JobKind::TemplateSync, key: &key, payload: &key, run_at: now };
            jobs::put(&mut tx.scope(project, now), job).await?;
            append_sync_event(ctx, tx, project, &new).await?;
            return Ok((new, true));
        }
        // The unfinished sync may have ended since.
        if let Some(live) = whatsapp_template_syncs::live(tx, project, &config.waba_id).await? {
            return Ok((live, false));
        }
    }
}

/// The ids of the account's production configs, as JSON.
pub async fn config_ids(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str) -> Result<String> {
    let configs = whatsapp_configs::production(conn, project, None, Some(waba_id)).await?;
    Ok(json!(configs.iter().map(|config| config.id).collect::<Vec<_>>()).to_string())
}

/// Copies Meta's state of the template into the row. Returns whether the row changed.
pub fn apply_meta(row: &mut WhatsappTemplateRow, meta: &Template) -> bool {
    let before = row.clone();
    row.meta_id = Some(meta.id.clone());
    row.name.clone_from(&meta.name);
    row.language_code.clone_from(&meta.language);
    if let Some(category) = category(&meta.category) {
        category.clone_into(&mut row.category);
    }
    row.parameter_format = if meta.parameter_format.as_deref() == Some(NAMED) { NAMED } else { POSITIONAL }.into();
    let components = Value::from(meta.components.clone());
    // Compared as JSON: a database may reorder the keys.
    if serde_json::from_str::<Value>(&row.components).ok().as_ref() != Some(&components) {
        row.components = components.to_string();
    }
    row.rejected_reason.clone_from(&meta.rejected_reason);
    row.quality.clone_from(&meta.quality);
    apply_meta_status(row, &meta.status);
    row.in_doubt = None;
    *row != before
}

/// Applies Meta's status word. An unknown word is kept in `meta_status` only, except that a draft
/// becomes submitted.
pub fn apply_meta_status(row: &mut WhatsappTemplateRow, word: &str) {
    row.meta_status = Some(word.to_owned());
    let known = TemplateStatus::of_meta(word);
    let draft = row.status == TemplateStatus::Draft;
    if let Some(status) = known.or(draft.then_some(TemplateStatus::Submitted)) {
        row.status = status;
    }
}

/// Our category for Meta's; old templates have old words.
pub fn category(word: &str) -> Option<&'static str> {
    match word {
        "MARKETING" => Some("MARKETING"),
        "AUTHENTICATION" | "OTP" => Some("AUTHENTICATION"),
        "UTILITY" | "TRANSACTIONAL" => Some("UTILITY"),
        _ => None,
    }
}

/// A row for a template that exists only at Meta.
pub fn row_from_meta(ctx: &Context, waba_id: &str, meta: &Template) -> WhatsappTemplateRow {
    let mut row = draft_row(ctx, waba_id, &meta.name, &meta.language);
    row.status = TemplateStatus::Submitted;
    apply_meta(&mut row, meta);
    row
}

/// An empty draft.
pub fn draft_row(ctx: &Context, waba_id: &str, name: &str, language: &str) -> WhatsappTemplateRow {
    let now = ctx.now();
    WhatsappTemplateRow {
        id: ctx.new_id(),
        waba_id: waba_id.into(),
        name: name.into(),
        language_code: language.into(),
        category: "UTILITY".into(),
        status: TemplateStatus::Draft,
        parameter_format: POSITIONAL.into(),
        components: "[]".into(),
        meta_id: None,
        meta_status: None,
        rejected_reason: None,
        quality: None,
        in_doubt: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Appends an event if the template's status changed.
pub async fn append_status_event(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: TemplateStatus,
    row: &WhatsappTemplateRow,
) -> Result<()> {
    if from == row.status {
        return Ok(());
    }
    let body = json!({"from": from.as_str(), "to": row.status.as_str(), "name": row.name, "language_code": row.language_code,
        "reason": row.rejected_reason});
    events::append(ctx, tx, project, Event::TemplateStatus, row.id.uuid(), &body).await?;
    hooks::template_status(ctx, tx, project, from, row, ctx.now()).await
}

/// Reports a new or changed sync.
pub async fn append_sync_event(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &TemplateSyncRow,
) -> Result<()> {
    let body = json!({"status": row.status.as_str()});
    events::append(ctx, tx, project, Event::TemplateSyncUpdated, row.id.uuid(), &body).await
}
