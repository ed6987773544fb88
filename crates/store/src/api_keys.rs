//! API keys, found by their lookup part and proved by their hash.

use crate::{Result, Tx, sql::{run, statements}, unscoped::{self, DirectoryKind}};
use domain::{Timestamp, api_key::NewApiKey, ids::{ApiKeyId, ProjectId}};

statements! {
    INSERT = ["INSERT INTO api_keys (project_id, id, lookup, hash, created_at) VALUES ($1, $2, $3, $4, $5)"];
    HASH = ["SELECT hash FROM api_keys WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL"];
}

/// Stores a new key's hash and lets its lookup part be found.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, id: ApiKeyId, key: &NewApiKey, now: Timestamp) -> Result<()> {
    run!(tx, INSERT, [project.uuid(), id.uuid(), &key.lookup, &key.hash[..], now.micros()], execute)?;
    unscoped::point(tx, DirectoryKind::ApiKey, &key.lookup, project, id.uuid()).await
}

/// The hash of a key that is not revoked.
pub async fn hash(conn: &mut crate::Conn<'_>, project: ProjectId, id: ApiKeyId) -> Result<Option<Vec<u8>>> {
    Ok(run!(conn, HASH, [project.uuid(), id.uuid()], fetch_optional as (Vec<u8>,))?.map(|(hash,)| hash))
}
