//! Connected WhatsApp business numbers. A number belongs to one project, which the directory
//! stores.

use crate::{counters, search, unscoped::{self, DirectoryKind, Pointer}, db::{Conn, Counter, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{Timestamp, conversation::{ConfigKind, NumberProof, ProofFailure}, ids::{CustomerId, ProjectId, SecretId, WhatsappConfigId}};

stored_words!(ConfigKind, NumberProof, ProofFailure);

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
        pub proof: NumberProof,
        /// Time of the latest check that decided.
        pub proof_at: Option<Timestamp>,
        pub proof_failure: Option<ProofFailure>,
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
               calls_enabled, created_at, updated_at, webhook_verified_at, proof, proof_at, proof_failure) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"];
    OF_NUMBER = ["SELECT ", WhatsappConfigRow, " FROM whatsapp_configs WHERE project_id = $1 AND phone_number_id = $2"];
    SET_PROOF = ["UPDATE whatsapp_configs SET proof = $3, proof_at = $4, proof_failure = $5 WHERE project_id = $1 AND id = $2"];
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
               inbound_processing_enabled = $13, calls_enabled = $14, updated_at = $15, \
               proof = $16, proof_at = $17, proof_failure = $18 WHERE project_id = $1 AND id = $2"];
    SHOW_AS = ["UPDATE whatsapp_configs SET display_phone_number = $3 WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM whatsapp_configs WHERE project_id = $1 AND id = $2"];
}

pub(crate) const LIST: List<1, 5> = List {
    columns: WhatsappConfigRow::COLUMNS,
    from: "whatsapp_configs WHERE project_id = $1",
    filters: ["customer_id = ?", "waba_id = ?", "name_search LIKE ? ESCAPE '\\'", "created_at >= ?", "created_at <= ?"],
    order: "created_at DESC, id DESC",
};

/// Stores a config, and routes its number to it if it receives messages. [`crate::Error::Conflict`]
/// if the number is routed to another config, or the project has it already.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &WhatsappConfigRow) -> Result<()> {
    route(tx, project, c).await?;
    run!(tx, INSERT, [project, c.id, c.customer_id, c.name, &search::folded(&c.name), c.phone_number_id, c.waba_id,
        c.display_phone_number, c.access_token_id, c.webhook_verify_token, c.webhook_destination_url, c.kind,
        i64::from(c.inbound_processing_enabled), i64::from(c.calls_enabled), c.created_at, c.updated_at, c.webhook_verified_at,
        c.proof, c.proof_at, c.proof_failure], execute)?;
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

/// Routes the number to the config if its proof lets it receive. [`crate::Error::Conflict`] if it
/// is routed to another config.
async fn route(tx: &mut Tx<'_>, project: ProjectId, c: &WhatsappConfigRow) -> Result<()> {
    if c.proof.receives() {
        unscoped::lock_number(tx, &c.phone_number_id).await?;
        return unscoped::claim(tx, DirectoryKind::Number, &c.phone_number_id, project, c.id.uuid()).await;
    }
    match unscoped::look_up(tx, DirectoryKind::Number, &c.phone_number_id).await? {
        Some(_) => Err(crate::Error::Conflict("directory: number".into())),
        None => Ok(()),
    }
}

/// Routes the number again if the config has another one than `before`, or another proof.
async fn reroute(tx: &mut Tx<'_>, project: ProjectId, before: &str, c: &WhatsappConfigRow) -> Result<()> {
    let pointer = Pointer { project_id: project, object_id: c.id.uuid() };
    if before == c.phone_number_id
        && c.proof.receives()
        && unscoped::look_up(tx, DirectoryKind::Number, before).await? == Some(pointer)
    {
        return Ok(());
    }
    unscoped::forget(tx, DirectoryKind::Number, before, pointer).await?;
    // An unproved config may keep a number that another one has proved; it cannot move to it.
    if before == c.phone_number_id && !c.proof.receives() { Ok(()) } else { route(tx, project, c).await }
}

/// The project's config of a number.
pub async fn of_number(conn: &mut Conn<'_>, project: ProjectId, phone_number_id: &str) -> Result<Option<WhatsappConfigRow>> {
    run!(conn, OF_NUMBER, [project, phone_number_id], fetch_optional as WhatsappConfigRow)
}

/// Stores the result of a check and routes the number accordingly. The row must have been locked
/// in the same transaction. [`crate::Error::Conflict`], without a change, if another config has
/// proved the number.
pub async fn set_proof(tx: &mut Tx<'_>, project: ProjectId, c: &WhatsappConfigRow) -> Result<()> {
    reroute(tx, project, &c.phone_number_id, c).await?;
    run!(tx, SET_PROOF, [project, c.id, c.proof, c.proof_at, c.proof_failure], execute).map(drop)
}

/// The row must have been locked in the same transaction; `before` is its number until now.
/// [`crate::Error::Conflict`] if another config has proved the number, or the project has it
/// already.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, before: &str, c: &WhatsappConfigRow) -> Result<()> {
    reroute(tx, project, before, c).await?;
    run!(tx, UPDATE, [project, c.id, c.name, &search::folded(&c.name), c.phone_number_id, c.waba_id,
        c.display_phone_number, c.access_token_id, c.webhook_verify_token, c.webhook_destination_url,
        c.webhook_verified_at, c.kind, i64::from(c.inbound_processing_enabled), i64::from(c.calls_enabled), c.updated_at,
        c.proof, c.proof_at, c.proof_failure], execute).map(drop)
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
