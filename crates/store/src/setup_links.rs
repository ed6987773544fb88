//! Links with which customers connect a number. Their tokens are derived, not stored.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{CustomerId, ProjectId, SetupLinkId}, setup_link::{self, SetupLinkStatus}};

rows! {
    #[derive(Debug, Clone)]
    pub struct SetupLinkRow {
        pub id: SetupLinkId,
        pub customer_id: CustomerId,
        pub expires_at: Timestamp,
        pub used_at: Option<Timestamp>,
        pub revoked_at: Option<Timestamp>,
        pub success_redirect_url: Option<String>,
        pub failure_redirect_url: Option<String>,
        /// JSON list.
        pub allowed_connection_types: String,
        /// JSON list.
        pub phone_number_country_isos: String,
        pub phone_number_area_code: Option<String>,
        /// JSON object of colours.
        pub theme_config: Option<String>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

impl SetupLinkRow {
    pub fn status(&self, now: Timestamp) -> SetupLinkStatus {
        setup_link::status(self.used_at, self.revoked_at, self.expires_at, now)
    }
}

statements! {
    INSERT = ["INSERT INTO setup_links (project_id, id, customer_id, expires_at, used_at, revoked_at, success_redirect_url, \
               failure_redirect_url, allowed_connection_types, phone_number_country_isos, phone_number_area_code, theme_config, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"];
    FIND = ["SELECT ", SetupLinkRow, " FROM setup_links WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE setup_links SET updated_at = updated_at WHERE project_id = $1 AND id = $2 RETURNING ", SetupLinkRow];
    UPDATE = ["UPDATE setup_links SET expires_at = $3, used_at = $4, revoked_at = $5, success_redirect_url = $6, \
               failure_redirect_url = $7, allowed_connection_types = $8, phone_number_country_isos = $9, \
               phone_number_area_code = $10, theme_config = $11, updated_at = $12 WHERE project_id = $1 AND id = $2"];
    REVOKE_OTHERS = ["UPDATE setup_links SET revoked_at = $4, updated_at = $4 WHERE project_id = $1 AND customer_id = $2 AND id <> $3 \
                      AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $4"];
    PAGE = ["SELECT ", SetupLinkRow, " FROM setup_links WHERE project_id = $1 AND customer_id = $2 \
             ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM setup_links WHERE project_id = $1 AND customer_id = $2"];
    FORGET_TOKENS = ["DELETE FROM secrets WHERE project_id = $1 AND kind = 'sign_up_token' AND id IN \
                      (SELECT id FROM setup_links WHERE project_id = $1 AND customer_id = $2 AND id <> $3)"];
    DELETE_ALL = ["DELETE FROM setup_links WHERE project_id = $1 AND customer_id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, l: &SetupLinkRow) -> Result<()> {
    run!(tx, INSERT, [project, l.id, l.customer_id, l.expires_at, l.used_at, l.revoked_at, l.success_redirect_url,
        l.failure_redirect_url, l.allowed_connection_types, l.phone_number_country_isos, l.phone_number_area_code, l.theme_config,
        l.created_at, l.updated_at], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: SetupLinkId) -> Result<Option<SetupLinkRow>> {
    run!(conn, FIND, [project, id], fetch_optional as SetupLinkRow)
}

/// Reads and locks a link until the transaction ends. The customer's row must have been locked
/// before, so that all transactions lock in one order.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: SetupLinkId) -> Result<Option<SetupLinkRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as SetupLinkRow)
}

/// The row must have been locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, l: &SetupLinkRow) -> Result<()> {
    run!(tx, UPDATE, [project, l.id, l.expires_at, l.used_at, l.revoked_at, l.success_redirect_url, l.failure_redirect_url,
        l.allowed_connection_types, l.phone_number_country_isos, l.phone_number_area_code, l.theme_config, l.updated_at],
        execute).map(drop)
}

/// Revokes the other active links of a link's customer, and deletes the tokens of their sign-ups. The
/// customer's row must have been locked in the same transaction.
pub async fn revoke_others(tx: &mut Tx<'_>, project: ProjectId, l: &SetupLinkRow, now: Timestamp) -> Result<()> {
    run!(tx, FORGET_TOKENS, [project, l.customer_id, l.id], execute)?;
    run!(tx, REVOKE_OTHERS, [project, l.customer_id, l.id, now], execute).map(drop)
}

/// A page of a customer's links, newest first, and their number.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    customer: CustomerId,
    (limit, offset): (i64, i64),
) -> Result<(Vec<SetupLinkRow>, i64)> {
    let rows = run!(conn, PAGE, [project, customer, limit, offset], fetch_all as SetupLinkRow)?;
    let (total,) = run!(conn, COUNT, [project, customer], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// Deletes all links of a customer, and the tokens of their sign-ups.
pub async fn delete_of_customer(tx: &mut Tx<'_>, project: ProjectId, customer: CustomerId) -> Result<()> {
    // No link has this id.
    run!(tx, FORGET_TOKENS, [project, customer, SetupLinkId::from_uuid(uuid::Uuid::nil())], execute)?;
    run!(tx, DELETE_ALL, [project, customer], execute).map(drop)
}
