//! Message templates between us and Meta: which number speaks for one, what Meta says of one, and how a call whose end
//! nobody knows is looked up.
//!
//! Meta has no idempotency key here either. So a call that changes a template is written down before it is made (`in_doubt`),
//! with a job that looks a minute later. Whoever learns Meta's answer first, be it the call, a webhook, a pull or that job,
//! takes over what Meta has and clears the mark; a process that dies after Meta's yes loses nothing.

use crate::Context;
use domain::{
    Span, Timestamp,
    event::Event,
    ids::{CustomerId, ProjectId, WhatsappConfigId, WhatsappTemplateId},
    job::{JobKind, SyncStatus},
    template::{NAMED, POSITIONAL, TemplateStatus},
};
use gateways::whatsapp::templates::Template;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{
    Conn, Result, Tx, events,
    jobs::{self, NewJob},
    secrets,
    whatsapp_configs::{self, WhatsappConfigRow},
    whatsapp_template_syncs::{self, TemplateSyncRow},
    whatsapp_templates::WhatsappTemplateRow,
};

/// How long a call may take before it is looked up.
pub const LOOK_UP_AFTER: Span = Span::from_secs(60);

/// What is not known about a template: the words of `in_doubt`.
pub mod doubt {
    /// Whether Meta took it.
    pub const SUBMIT: &str = "submit";
    /// Whether Meta took the edit.
    pub const EDIT: &str = "edit";
    /// Whether Meta removed it.
    pub const DELETE: &str = "delete";
    /// What a webhook did not say.
    pub const NEWS: &str = "news";
}

/// A number that can ask Meta about its account.
pub struct Voice {
    pub config: WhatsappConfigRow,
    pub token: SecretString,
}

/// The first production number of an account, of one customer's if one is named, that has an access token. `first` is asked
/// before the others.
pub async fn voice(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    (customer, first): (Option<CustomerId>, Option<WhatsappConfigId>),
) -> Result<Option<Voice>> {
    let mut configs = whatsapp_configs::production(conn, project, customer, Some(waba_id)).await?;
    configs.sort_by_key(|config| Some(config.id) != first);
    for config in configs {
        if let Some(voice) = voice_of(ctx, conn, project, config).await? {
            return Ok(Some(voice));
        }
    }
    Ok(None)
}

/// A config's own voice, if it has a token.
pub async fn voice_of(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    config: WhatsappConfigRow,
) -> Result<Option<Voice>> {
    let Some(id) = config.access_token_id else { return Ok(None) };
    let token = secrets::reveal(conn, &ctx.vault, project, id, "whatsapp_access_token").await?;
    Ok(token.map(|token| Voice { config, token: SecretString::from(token) }))
}

/// Lets a job look a template up at Meta.
pub async fn look_up(
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

/// Queues a pull of an account's templates, asked for with this number. The one that waits or runs already, if there is one,
/// and whether it is new.
pub async fn pull(
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
            return Ok((new, true));
        }
        // It may have ended since.
        if let Some(live) = whatsapp_template_syncs::live(tx, project, &config.waba_id).await? {
            return Ok((live, false));
        }
    }
}

/// JSON: the account's production configs.
pub async fn config_ids(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str) -> Result<String> {
    let configs = whatsapp_configs::production(conn, project, None, Some(waba_id)).await?;
    Ok(json!(configs.iter().map(|config| config.id).collect::<Vec<_>>()).to_string())
}

/// What Meta has is what there is. Whether anything about the row is another way now.
pub fn take_over(row: &mut WhatsappTemplateRow, meta: &Template) -> bool {
    let before = row.clone();
    row.meta_id = Some(meta.id.clone());
    row.name.clone_from(&meta.name);
    row.language_code.clone_from(&meta.language);
    if let Some(category) = category(&meta.category) {
        category.clone_into(&mut row.category);
    }
    row.parameter_format = if meta.parameter_format.as_deref() == Some(NAMED) { NAMED } else { POSITIONAL }.into();
    let components = Value::from(meta.components.clone());
    // A database may order the keys of what it keeps in its own way.
    if serde_json::from_str::<Value>(&row.components).ok().as_ref() != Some(&components) {
        row.components = components.to_string();
    }
    row.rejected_reason.clone_from(&meta.rejected_reason);
    row.quality.clone_from(&meta.quality);
    set_status(row, &meta.status);
    row.in_doubt = None;
    *row != before
}

/// Meta's word for where a template stands. A word that we do not know is kept and changes nothing else, but what Meta has is
/// no draft any more.
pub fn set_status(row: &mut WhatsappTemplateRow, word: &str) {
    row.meta_status = Some(word.to_owned());
    let known = TemplateStatus::of_meta(word);
    let draft = row.status == TemplateStatus::Draft;
    if let Some(status) = known.or(draft.then_some(TemplateStatus::Submitted)) {
        row.status = status;
    }
}

/// Meta's category in our words; older templates have older words.
pub fn category(word: &str) -> Option<&'static str> {
    match word {
        "MARKETING" => Some("MARKETING"),
        "AUTHENTICATION" | "OTP" => Some("AUTHENTICATION"),
        "UTILITY" | "TRANSACTIONAL" => Some("UTILITY"),
        _ => None,
    }
}

/// A row for a template that Meta has and we do not know.
pub fn learnt(ctx: &Context, waba_id: &str, meta: &Template) -> WhatsappTemplateRow {
    let mut row = draft(ctx, waba_id, (&meta.name, &meta.language));
    row.status = TemplateStatus::Submitted;
    take_over(&mut row, meta);
    row
}

/// A draft that says nothing yet.
pub fn draft(ctx: &Context, waba_id: &str, (name, language): (&str, &str)) -> WhatsappTemplateRow {
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

/// Tells of a template's new state, if it is one.
pub async fn tell(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    (from, row): (TemplateStatus, &WhatsappTemplateRow),
) -> Result<()> {
    if from == row.status {
        return Ok(());
    }
    let body =
        json!({"from": from.as_str(), "to": row.status.as_str(), "name": row.name, "language_code": row.language_code,
        "reason": row.rejected_reason})
        .to_string();
    let (id, object) = (ctx.new_uuid(), row.id.uuid());
    events::append(&mut tx.scope(project, ctx.now()), id, Event::TemplateStatus, object, &body).await
}
