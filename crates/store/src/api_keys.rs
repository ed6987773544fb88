//! API keys: found by lookup part, verified by hash.

use crate::{unscoped::{self, DirectoryKind, ListedKey}, db::{Result, Tx, rows, run, statements}};
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
    LIST = ["SELECT ", ListedKey, " FROM api_keys WHERE project_id = $1 AND id > $2 AND revoked_at IS NULL ORDER BY id LIMIT $3"];
    REVOKE = ["UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING lookup"];
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

/// Keys of a project after this one, oldest first.
pub async fn list(conn: &mut crate::Conn<'_>, project: ProjectId, after: ApiKeyId, limit: i64) -> Result<Vec<ListedKey>> {
    run!(conn, LIST, [project, after, limit], fetch_all as ListedKey)
}

/// Revokes a key and removes it from the directory. `false` if it is absent or revoked already.
pub async fn revoke(tx: &mut Tx<'_>, project: ProjectId, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    let Some((lookup,)) = run!(tx, REVOKE, [project, id, now], fetch_optional as (String,))? else { return Ok(false) };
    let pointer = unscoped::Pointer { project_id: project, object_id: id.uuid() };
    unscoped::forget(tx, DirectoryKind::ApiKey, &lookup, pointer).await?;
    Ok(true)
}
