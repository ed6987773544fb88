//! API keys: found by lookup part, verified by hash.

use crate::{unscoped::{self, DirectoryKind}, db::{Result, Tx, rows, run, statements}};
use domain::{Timestamp, api_key::NewApiKey, ids::{ApiKeyId, ProjectId, UserId}};

rows! {
    /// A key that is not revoked.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ApiKeyRow {
        /// SHA-256 of the whole key.
        pub hash: Vec<u8>,
        /// The user who created it; none if it was the operator.
        pub user_id: Option<UserId>,
    }
}

statements! {
    INSERT = ["INSERT INTO api_keys (project_id, id, lookup, hash, user_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)"];
    FIND = ["SELECT ", ApiKeyRow, " FROM api_keys WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL"];
}

/// Stores a new key's hash and adds its lookup part to the directory.
pub async fn insert(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ApiKeyId,
    key: &NewApiKey,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    run!(tx, INSERT, [project, id, key.lookup, key.hash, user, now], execute)?;
    unscoped::point(tx, DirectoryKind::ApiKey, &key.lookup, project, id.uuid()).await
}

/// A key that is not revoked.
pub async fn find(conn: &mut crate::Conn<'_>, project: ProjectId, id: ApiKeyId) -> Result<Option<ApiKeyRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ApiKeyRow)
}
