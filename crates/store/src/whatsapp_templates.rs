//! Message templates by business account. A name exists once per language at Meta, and once more as
//! our draft.

use crate::{search, db::{Conn, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{Timestamp, ids::{CustomerId, ProjectId, WhatsappConfigId, WhatsappTemplateId}, template::{TemplateStatus, Unconfirmed}};

/// More than Meta allows for one account.
const MOST: i64 = 10_000;

stored_words!(TemplateStatus, Unconfirmed);

rows! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WhatsappTemplateRow {
        pub id: WhatsappTemplateId,
        /// Meta's id of the business account; empty for a draft of a project that has no number
        /// yet.
        pub waba_id: String,
        pub name: String,
        /// For example `pt_BR`.
        pub language_code: String,
        /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
        pub category: String,
        pub status: TemplateStatus,
        /// `POSITIONAL` or `NAMED`.
        pub parameter_format: String,
        /// JSON: Meta's component structure.
        pub components: String,
        pub meta_id: Option<String>,
        /// Meta's status, verbatim.
        pub meta_status: Option<String>,
        pub rejected_reason: Option<String>,
        /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
        pub quality: Option<String>,
        pub in_doubt: Option<Unconfirmed>,
        /// Raised by each change.
        pub version: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Accounts of this customer's production configs.
    pub customer: Option<CustomerId>,
    /// The account of this config.
    pub config: Option<WhatsappConfigId>,
    pub waba_id: Option<String>,
    /// Substring, in any case.
    pub name: Option<String>,
    pub language: Option<String>,
    pub category: Option<String>,
    /// All but removed ones if none is given.
    pub status: Option<String>,
}

statements! {
    INSERT = ["INSERT INTO whatsapp_templates (project_id, id, waba_id, name, language_code, category, status, parameter_format, components, \
               meta_id, meta_status, rejected_reason, quality, in_doubt, version, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"];
    FIND = ["SELECT ", WhatsappTemplateRow, " FROM whatsapp_templates WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE whatsapp_templates SET version = version WHERE project_id = $1 AND id = $2 \
             RETURNING ", WhatsappTemplateRow];
    OF_META = ["SELECT ", WhatsappTemplateRow, " FROM whatsapp_templates WHERE project_id = $1 AND meta_id = $2"];
    NAMED = ["SELECT ", WhatsappTemplateRow, " FROM whatsapp_templates \
              WHERE project_id = $1 AND waba_id = $2 AND name = $3 AND (language_code = $4 OR $4 IS NULL) \
              AND status IN ('submitted', 'approved', 'rejected', 'disabled') ORDER BY created_at, id LIMIT 100"];
    DRAFT = ["SELECT ", WhatsappTemplateRow, " FROM whatsapp_templates \
              WHERE project_id = $1 AND waba_id = $2 AND name = $3 AND language_code = $4 AND status = 'draft'"];
    OF_ACCOUNT = ["SELECT ", WhatsappTemplateRow, " FROM whatsapp_templates \
                   WHERE project_id = $1 AND waba_id = $2 ORDER BY created_at, id LIMIT $3"];
    UPDATE = ["UPDATE whatsapp_templates SET waba_id = $3, name = $4, language_code = $5, category = $6, status = $7, parameter_format = $8, \
               components = $9, meta_id = $10, meta_status = $11, rejected_reason = $12, quality = $13, in_doubt = $14, updated_at = $15, \
               version = version + 1 WHERE project_id = $1 AND id = $2"];
}

pub(crate) const LIST: List<1, 8> = List {
    columns: WhatsappTemplateRow::COLUMNS,
    from: "whatsapp_templates WHERE project_id = $1",
    filters: [
        "waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.customer_id = ? AND c.kind = 'production')",
        "waba_id IN (SELECT c.waba_id FROM whatsapp_configs c WHERE c.project_id = $1 AND c.id = ?)",
        "waba_id = ?",
        "name LIKE ? ESCAPE '\\'",
        "language_code = ?",
        "category = ?",
        "status = ?",
        "status <> ?",
    ],
    order: "created_at DESC, id DESC",
};

/// [`crate::Error::Conflict`] if the account has the name in this language.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, t: &WhatsappTemplateRow) -> Result<()> {
    run!(tx, INSERT, [project, t.id, t.waba_id, t.name, t.language_code, t.category, t.status, t.parameter_format,
        t.components, t.meta_id, t.meta_status, t.rejected_reason, t.quality, t.in_doubt, t.version,
        t.created_at, t.updated_at], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, FIND, [project, id], fetch_optional as WhatsappTemplateRow)
}

/// Reads and locks a template until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: WhatsappTemplateId) -> Result<Option<WhatsappTemplateRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as WhatsappTemplateRow)
}

/// The template with this id at Meta, also a removed one.
pub async fn of_meta(conn: &mut Conn<'_>, project: ProjectId, meta_id: &str) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, OF_META, [project, meta_id], fetch_optional as WhatsappTemplateRow)
}

/// Templates of a name at Meta, in one language or all.
pub async fn named(
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    name: &str,
    language: Option<&str>,
) -> Result<Vec<WhatsappTemplateRow>> {
    run!(conn, NAMED, [project, waba_id, name, language], fetch_all as WhatsappTemplateRow)
}

/// Our draft of a name.
pub async fn draft(
    conn: &mut Conn<'_>,
    project: ProjectId,
    waba_id: &str,
    name: &str,
    language: &str,
) -> Result<Option<WhatsappTemplateRow>> {
    run!(conn, DRAFT, [project, waba_id, name, language], fetch_optional as WhatsappTemplateRow)
}

/// All templates of an account, in every state.
pub async fn of_account(conn: &mut Conn<'_>, project: ProjectId, waba_id: &str) -> Result<Vec<WhatsappTemplateRow>> {
    run!(conn, OF_ACCOUNT, [project, waba_id, MOST], fetch_all as WhatsappTemplateRow)
}

/// Writes a row that was locked in the same transaction, under its next version.
/// [`crate::Error::Conflict`] if its account has the name in this language already.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, t: &WhatsappTemplateRow) -> Result<()> {
    run!(tx, UPDATE, [project, t.id, t.waba_id, t.name, t.language_code, t.category, t.status, t.parameter_format,
        t.components, t.meta_id, t.meta_status, t.rejected_reason, t.quality, t.in_doubt, t.updated_at], execute).map(drop)
}

/// A page of templates, newest first, and the number of all that match.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    f: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<WhatsappTemplateRow>, i64)> {
    let hidden = f.status.is_none().then_some("removed");
    let query = LIST.query([project.into()], [
        f.customer.map(Value::from),
        f.config.map(Value::from),
        f.waba_id.as_deref().map(Value::from),
        f.name.as_deref().map(search::containing).map(Value::from),
        f.language.as_deref().map(Value::from),
        f.category.as_deref().map(Value::from),
        f.status.as_deref().map(Value::from),
        hidden.map(Value::from),
    ]);
    Ok((query.page(conn, limit, offset).await?, query.count(conn).await?))
}
