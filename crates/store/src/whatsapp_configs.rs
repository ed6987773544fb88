//! Connected WhatsApp business numbers. A number belongs to one project, which the directory
//! stores.

use crate::{counters, search, unscoped::{self, DirectoryKind, Pointer}, db::{Conn, Counter, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{Timestamp, conversation::ConfigKind, ids::{CustomerId, ProjectId, SecretId, WhatsappConfigId}};

stored_words!(ConfigKind);

rows! {
    /// The access token is a secret and stored apart.
    #[derive(Debug, Clone)]
    pub struct WhatsappConfigRow {
        pub id: WhatsappConfigId,
        /// None for the project's own number.
        pub customer_id: Option<CustomerId>,
        pub name: String,
        /// Meta's id of the number.
        pub phone_number_id: String,
        /// Meta's id of the business account.
        pub waba_id: String,
        /// The number as Meta displays it; none until Meta was asked.
        pub display_phone_number: Option<String>,
        pub access_token_id: Option<SecretId>,
        /// Meta sends it in the webhook handshake.
        pub webhook_verify_token: String,
        pub webhook_destination_url: Option<String>,
        /// Time of Meta's latest handshake with the token.
        pub webhook_verified_at: Option<Timestamp>,
        pub kind: ConfigKind,
        /// Agents answer on this number.
        pub inbound_processing_enabled: bool,
        pub calls_enabled: bool,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    pub waba_id: Option<String>,
    /// Substring, in any case.
    pub name: Option<String>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

statements! {
    INSERT = ["INSERT INTO whatsapp_configs (project_id, id, customer_id, name, name_search, phone_number_id, waba_id, \
               display_phone_number, access_token_id, webhook_verify_token, webhook_destination_url, kind, inbound_processing_enabled, \
               calls_enabled, created_at, updated_at, webhook_verified_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"];
    HANDSHAKE = ["SELECT max(webhook_verified_at) FROM whatsapp_configs WHERE project_id = $1 AND webhook_verify_token = $2"];
    FIND = ["SELECT ", WhatsappConfigRow, " \
             FROM whatsapp_configs WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE whatsapp_configs SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", WhatsappConfigRow];
    OLDEST = ["SELECT ", WhatsappConfigRow, " \
               FROM whatsapp_configs WHERE project_id = $1 AND kind = 'production' ORDER BY created_at, id LIMIT 1"];
    OF_CUSTOMER = ["SELECT ", WhatsappConfigRow, " \
                    FROM whatsapp_configs WHERE project_id = $1 AND customer_id = $2 ORDER BY created_at, id"];
    PRODUCTION = ["SELECT ", WhatsappConfigRow, " \
                   FROM whatsapp_configs WHERE project_id = $1 AND kind = 'production' AND (customer_id = $2 OR $2 IS NULL) \
                   AND (waba_id = $3 OR $3 IS NULL) ORDER BY created_at, id LIMIT 1000"];
    UPDATE = ["UPDATE whatsapp_configs SET name = $3, name_search = $4, phone_number_id = $5, waba_id = $6, display_phone_number = $7, \
               access_token_id = $8, webhook_verify_token = $9, webhook_destination_url = $10, webhook_verified_at = $11, kind = $12, \
               inbound_processing_enabled = $13, calls_enabled = $14, updated_at = $15 WHERE project_id = $1 AND id = $2"];
    SHOW_AS = ["UPDATE whatsapp_configs SET display_phone_number = $3 WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM whatsapp_configs WHERE project_id = $1 AND id = $2"];
}

pub(crate) const LIST: List<1, 5> = List {
    columns: WhatsappConfigRow::COLUMNS,
    from: "whatsapp_configs WHERE project_id = $1",
    filters: ["customer_id = ?", "waba_id = ?", "name_search LIKE ? ESCAPE '\\'", "created_at >= ?", "created_at <= ?"],
    order: "created_at DESC, id DESC",
};

/// Stores a config and routes its number to the project. [`crate::Error::Conflict`] if the number
/// is taken.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &WhatsappConfigRow) -> Result<()> {
    unscoped::claim(tx, DirectoryKind::Number, &c.phone_number_id, project, c.id.uuid()).await?;
    run!(tx, INSERT, [project, c.id, c.customer_id, c.name, &search::folded(&c.name), c.phone_number_id, c.waba_id,
        c.display_phone_number, c.access_token_id, c.webhook_verify_token, c.webhook_destination_url, c.kind,
        i64::from(c.inbound_processing_enabled), i64::from(c.calls_enabled), c.created_at, c.updated_at, c.webhook_verified_at], execute)?;
    counters::add(tx, project, Counter::WhatsappConfigs, c.id.uuid(), 1);
    Ok(())
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: WhatsappConfigId) -> Result<Option<WhatsappConfigRow>> {
    run!(conn, FIND, [project, id], fetch_optional as WhatsappConfigRow)
}

/// Reads and locks a config until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: WhatsappConfigId) -> Result<Option<WhatsappConfigRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as WhatsappConfigRow)
}

/// The project's first production number, for API executions without a config.
pub async fn oldest(conn: &mut Conn<'_>, project: ProjectId) -> Result<Option<WhatsappConfigRow>> {
    run!(conn, OLDEST, [project], fetch_optional as WhatsappConfigRow)
}

pub async fn of_customer(conn: &mut Conn<'_>, project: ProjectId, customer: CustomerId) -> Result<Vec<WhatsappConfigRow>> {
    run!(conn, OF_CUSTOMER, [project, customer], fetch_all as WhatsappConfigRow)
}

/// Production numbers, optionally of a customer and an account, oldest first; at most a thousand.
pub async fn production(
    conn: &mut Conn<'_>,
    project: ProjectId,
    customer: Option<CustomerId>,
    waba_id: Option<&str>,
) -> Result<Vec<WhatsappConfigRow>> {
    run!(conn, PRODUCTION, [project, customer, waba_id], fetch_all as WhatsappConfigRow)
}

/// The row must have been locked in the same transaction. A number other than `before` is routed
/// again. [`crate::Error::Conflict`] if that number is taken.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, before: &str, c: &WhatsappConfigRow) -> Result<()> {
    if before != c.phone_number_id {
        let pointer = Pointer { project_id: project, object_id: c.id.uuid() };
        unscoped::forget(tx, DirectoryKind::Number, before, pointer).await?;
        unscoped::claim(tx, DirectoryKind::Number, &c.phone_number_id, project, c.id.uuid()).await?;
    }
    run!(tx, UPDATE, [project, c.id, c.name, &search::folded(&c.name), c.phone_number_id, c.waba_id,
        c.display_phone_number, c.access_token_id, c.webhook_verify_token, c.webhook_destination_url,
        c.webhook_verified_at, c.kind, i64::from(c.inbound_processing_enabled), i64::from(c.calls_enabled), c.updated_at], execute).map(drop)
}

/// Time of Meta's latest handshake with this token at any number of the project: they share one
/// callback.
pub async fn handshake(conn: &mut Conn<'_>, project: ProjectId, verify_token: &str) -> Result<Option<Timestamp>> {
    Ok(run!(conn, HANDSHAKE, [project, verify_token], fetch_one as (Option<Timestamp>,))?.0)
}

/// Stores the number as Meta displays it.
pub async fn show_as(tx: &mut Tx<'_>, project: ProjectId, id: WhatsappConfigId, number: &str) -> Result<()> {
    run!(tx, SHOW_AS, [project, id, number], execute).map(drop)
}

/// Frees the number. No agent may be linked to the config any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, c: &WhatsappConfigRow) -> Result<()> {
    let pointer = Pointer { project_id: project, object_id: c.id.uuid() };
    unscoped::forget(tx, DirectoryKind::Number, &c.phone_number_id, pointer).await?;
    let gone = run!(tx, DELETE, [project, c.id], execute)?;
    counters::add(tx, project, Counter::WhatsappConfigs, c.id.uuid(), -(gone as i64));
    Ok(())
}

/// A page of configs, newest first, and the number of all that match.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<WhatsappConfigRow>, i64)> {
    let query = LIST.query([project.into()], [
        f.customer.map(Value::from),
        f.waba_id.as_deref().map(Value::from),
        f.name.as_deref().map(search::containing).map(Value::from),
        f.created_from.map(Value::from),
        f.created_to.map(Value::from),
    ]);
    counters::page(conn, (project, Counter::WhatsappConfigs), &query, (limit, offset)).await
}
