//! Message templates, by business account. Meta has a name once in each language; a draft of ours may stand beside it.

use crate::{Conn, Result, Tx, db::row::rows, search, db::sql::{run, statements}};
use domain::{Timestamp, ids::{CustomerId, ProjectId, WhatsappConfigId, WhatsappTemplateId}};

/// More than Meta keeps for one account.
const MOST: i64 = 10_000;

rows! {
    /// A stored template.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WhatsappTemplateRow {
        /// Its id.
        pub id: WhatsappTemplateId,
        /// Meta's id of the business account; empty for a draft of a project that has no number yet.
        pub waba_id: String,
        /// Its name.
        pub name: String,
        /// For example `pt_BR`.
        pub language_code: String,
        /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
        pub category: String,
        /// The word of a `TemplateStatus`.
        pub status: String,
        /// `POSITIONAL` or `NAMED`.
        pub parameter_format: String,
        /// JSON: Meta's component structure.
        pub components: String,
        /// Meta's id, once it has one.
        pub meta_id: Option<String>,
        /// Meta's own word for the status.
        pub meta_status: Option<String>,
        /// Why Meta rejected it.
        pub rejected_reason: Option<String>,
        /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
        pub quality: Option<String>,
        /// The call to Meta whose end nobody knows yet: `submit`, `edit`, `delete` or `news`.
        pub in_doubt: Option<String>,
        /// Raised by each change.
        pub version: i64,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

/// Which templates a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of the accounts of this customer's production configs.
    pub customer: Option<CustomerId>,
    /// Of this config's account.
    pub config: Option<WhatsappConfigId>,
    /// Of this account.
    pub waba_id: Option<String>,
    /// The name contains this, in any case.
    pub name: Option<String>,
    /// Exact language.
    pub language: Option<String>,
    /// Exact category.
    pub category: Option<String>,
    /// Exact status; without one all but the removed.
    pub status: Option<String>,
}

statements! {
    INSERT = ["INSERT INTO whatsapp_templates (project_id, id, waba_id, name, language_code, category, status, parameter_format, components, \
               meta_id, meta_status, rejected_reason, quality, in_doubt, version, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"];
    FIND = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, rejected_reason, \
             quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE whatsapp_templates SET version = version WHERE project_id = $1 AND id = $2 \
             RETURNING id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, \
             rejected_reason, quality, in_doubt, version, created_at, updated_at"];
    OF_META = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, rejected_reason, \
                quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates WHERE project_id = $1 AND meta_id = $2"];
    NAMED = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, rejected_reason, \
              quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates \
              WHERE project_id = $1 AND waba_id = $2 AND name = $3 AND (language_code = $4 OR $4 IS NULL) \
              AND status IN ('submitted', 'approved', 'rejected', 'disabled') ORDER BY created_at, id LIMIT 100"];
    DRAFT = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, rejected_reason, \
              quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates \
              WHERE project_id = $1 AND waba_id = $2 AND name = $3 AND language_code = $4 AND status = 'draft'"];
    OF_ACCOUNT = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, \
                   rejected_reason, quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates \
                   WHERE project_id = $1 AND waba_id = $2 ORDER BY created_at, id LIMIT $3"];
    UPDATE = ["UPDATE whatsapp_templates SET waba_id = $3, name = $4, language_code = $5, category = $6, status = $7, parameter_format = $8, \
               components = $9, meta_id = $10, meta_status = $11, rejected_reason = $12, quality = $13, in_doubt = $14, updated_at = $15, \
               version = version + 1 WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT id, waba_id, name, language_code, category, status, parameter_format, components, meta_id, meta_status, rejected_reason, \
             quality, in_doubt, version, created_at, updated_at FROM whatsapp_templates WHERE project_id = $1 \
             AND (waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.customer_id = $2 AND c.kind = 'production') \
                 OR $2 IS NULL) \
             AND (waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.id = $3) OR $3 IS NULL) \
             AND (waba_id = $4 OR $4 IS NULL) AND (name LIKE $5 ESCAPE '\\' OR $5 IS NULL) AND (language_code = $6 OR $6 IS NULL) \
             AND (category = $7 OR $7 IS NULL) AND (status = $8 OR ($8 IS NULL AND status <> 'removed')) \
             ORDER BY created_at DESC, id DESC LIMIT $9 OFFSET $10"];
    COUNT = ["SELECT count(*) FROM whatsapp_templates WHERE project_id = $1 \
              AND (waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.customer_id = $2 AND c.kind = 'production') \
                  OR $2 IS NULL) \
              AND (waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.id = $3) OR $3 IS NULL) \
              AND (waba_id = $4 OR $4 IS NULL) AND (name LIKE $5 ESCAPE '\\' OR $5 IS NULL) AND (language_code = $6 OR $6 IS NULL) \
              AND (category = $7 OR $7 IS NULL) AND (status = $8 OR ($8 IS NULL AND status <> 'removed'))"];
}

/// Stores a template. [`crate::Error::Conflict`] if its account has the name in this language already.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, t: &WhatsappTemplateRow) -> Result<()> {
    let (meta_id, meta_status, reason) = (t.meta_id.as_deref(), t.meta_status.as_deref(), t.rejected_reason.as_deref());
    let (quality, in_doubt, times) = (t.quality.as_deref(), t.in_doubt.as_deref(), [t.created_at.micros(), t.updated_at.micros()]);
    run!(tx, INSERT, [project.uuid(), t.id.uuid(), &t.waba_id, &t.name, &t.language_code, &t.category, &t.status, &t.parameter_format,
        &t.components, meta_id, meta_status, reason, quality, in_doubt, t.version, times[0], times[1]], execute).map(drop)
}

/// The template of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as WhatsappTemplateRow)
}

/// The template of this id, for changing it: other changes wait until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid()], fetch_optional as WhatsappTemplateRow)
}

/// The template that Meta knows by this id, also a removed one.
pub async fn of_meta(conn: &mut Conn<'_>, project: ProjectId, meta_id: &str) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, OF_META, [project.uuid(), meta_id], fetch_optional as WhatsappTemplateRow)
}

/// The templates of a name that Meta has, in one language or in all.
pub async fn named(
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    (name, language): (&str, Option<&str>),
) -> Result<Vec<WhatsappTemplateRow>> {
    run!(conn, NAMED, [project.uuid(), waba_id, name, language], fetch_all as WhatsappTemplateRow)
}

/// Our own draft of a name.
pub async fn draft(
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    (name, language): (&str, &str),
) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, DRAFT, [project.uuid(), waba_id, name, language], fetch_optional as WhatsappTemplateRow)
}

/// All templates of an account, in every state.
pub async fn of_account(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str) -> Result<Vec<WhatsappTemplateRow>> {
    run!(conn, OF_ACCOUNT, [project.uuid(), waba_id, MOST], fetch_all as WhatsappTemplateRow)
}

/// Writes a row that was locked in the same transaction, under its next version. [`crate::Error::Conflict`] if its account
/// has the name in this language already.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, t: &WhatsappTemplateRow) -> Result<()> {
    let (meta_id, meta_status, reason) = (t.meta_id.as_deref(), t.meta_status.as_deref(), t.rejected_reason.as_deref());
    let (quality, in_doubt) = (t.quality.as_deref(), t.in_doubt.as_deref());
    run!(tx, UPDATE, [project.uuid(), t.id.uuid(), &t.waba_id, &t.name, &t.language_code, &t.category, &t.status, &t.parameter_format,
        &t.components, meta_id, meta_status, reason, quality, in_doubt, t.updated_at.micros()], execute).map(drop)
}

/// A page of templates, newest first, and how many match.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    f: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<WhatsappTemplateRow>, i64)> {
    let (customer, config) = (f.customer.map(CustomerId::uuid), f.config.map(WhatsappConfigId::uuid));
    let (waba, language, category) = (f.waba_id.as_deref(), f.language.as_deref(), f.category.as_deref());
    let (name, status) = (f.name.as_deref().map(search::containing), f.status.as_deref());
    let name = name.as_deref();
    let rows = run!(conn, LIST, [project.uuid(), customer, config, waba, name, language, category, status, limit, offset],
        fetch_all as WhatsappTemplateRow)?;
    let (total,) = run!(conn, COUNT, [project.uuid(), customer, config, waba, name, language, category, status], fetch_one as (i64,))?;
    Ok((rows, total))
}
