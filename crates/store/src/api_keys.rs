//! API keys: found by lookup part, verified by hash.

use crate::{unscoped::{self, DirectoryKind, ListedKey}, db::{Conn, Result, Tx, rows, run, statements}};
use domain::{Span, Timestamp, api_key::NewApiKey, ids::{ApiKeyId, ProjectId, UserId}, role::Role};

rows! {
    /// A key that is not revoked. It may have expired.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ApiKeyRow {
        /// SHA-256 of the whole key.
        pub hash: Vec<u8>,
        /// The user who created it; none if it was the operator.
        pub user_id: Option<UserId>,
        /// None: all rights of the project.
        pub role: Option<Role>,
        pub expires_at: Option<Timestamp>,
        /// Of the project.
        pub archived_at: Option<Timestamp>,
    }

    /// A key as its owner sees it.
    #[derive(Debug, Clone)]
    pub struct KeyDetails {
        pub id: ApiKeyId,
        /// Part of the key that identifies it, no secret.
        pub lookup: String,
        pub name: String,
        pub role: Option<Role>,
        pub user_id: Option<UserId>,
        pub created_at: Timestamp,
        pub expires_at: Option<Timestamp>,
        /// A minute old at most.
        pub last_used_at: Option<Timestamp>,
    }
}

/// Settings of a new key.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeySettings<'k> {
    pub name: &'k str,
    /// None: all rights of the project.
    pub role: Option<Role>,
    /// The user who creates it; none if it is the operator.
    pub user: Option<UserId>,
    pub expires_at: Option<Timestamp>,
}

statements! {
    INSERT = ["INSERT INTO api_keys (project_id, id, lookup, hash, user_id, created_at, name, role, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    FIND = ["SELECT k.hash, k.user_id, k.role, k.expires_at, p.archived_at FROM api_keys k JOIN projects p ON p.id = k.project_id \
             WHERE project_id = $1 AND k.id = $2 AND k.revoked_at IS NULL AND p.deleted_at IS NULL"];
    LIST = ["SELECT ", ListedKey, " FROM api_keys WHERE project_id = $1 AND id > $2 AND revoked_at IS NULL ORDER BY id LIMIT $3"];
    DETAILS = ["SELECT ", KeyDetails, " FROM api_keys WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL"];
    PAGE = ["SELECT ", KeyDetails, " FROM api_keys WHERE project_id = $1 AND revoked_at IS NULL \
             ORDER BY id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM api_keys WHERE project_id = $1 AND revoked_at IS NULL"];
    OF_USER = ["SELECT ", KeyDetails, " FROM api_keys WHERE project_id = $1 AND user_id = $2 AND revoked_at IS NULL"];
    EXPIRE = ["UPDATE api_keys SET expires_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL \
               AND (expires_at IS NULL OR expires_at > $3)"];
    USED = ["UPDATE api_keys SET last_used_at = $3 WHERE project_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)"];
    REVOKE = ["UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING lookup"];
}

/// Stores a key with all rights; see [`insert_with`].
pub async fn insert(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ApiKeyId,
    key: &NewApiKey,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    insert_with(tx, project, id, key, KeySettings { user, ..KeySettings::default() }, now).await
}

/// Stores a new key's hash and adds its lookup part to the directory.
pub async fn insert_with(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ApiKeyId,
    key: &NewApiKey,
    with: KeySettings<'_>,
    now: Timestamp,
) -> Result<()> {
    run!(tx, INSERT, [project, id, key.lookup, key.hash, with.user, now, with.name, with.role, with.expires_at], execute)?;
    unscoped::point(tx, DirectoryKind::ApiKey, &key.lookup, project, id.uuid()).await
}

/// A key that is not revoked.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ApiKeyId) -> Result<Option<ApiKeyRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ApiKeyRow)
}

/// Number of keys that are not revoked.
pub async fn count(conn: &mut crate::Conn<'_>, project: ProjectId) -> Result<i64> {
    Ok(run!(conn, COUNT, [project], fetch_one as (i64,))?.0)
}

/// Keys of a project after this one, oldest first.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, after: ApiKeyId, limit: i64) -> Result<Vec<ListedKey>> {
    run!(conn, LIST, [project, after, limit], fetch_all as ListedKey)
}

/// A key that is not revoked, for its owner.
pub async fn details(conn: &mut Conn<'_>, project: ProjectId, id: ApiKeyId) -> Result<Option<KeyDetails>> {
    run!(conn, DETAILS, [project, id], fetch_optional as KeyDetails)
}

/// A page of the keys that are not revoked, newest first, and their number.
pub async fn page(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<KeyDetails>, i64)> {
    let rows = run!(conn, PAGE, [project, limit, offset], fetch_all as KeyDetails)?;
    Ok((rows, run!(conn, COUNT, [project], fetch_one as (i64,))?.0))
}

/// Ends a key at this time, unless it ends earlier.
pub async fn expire(tx: &mut Tx<'_>, project: ProjectId, id: ApiKeyId, at: Timestamp) -> Result<()> {
    run!(tx, EXPIRE, [project, id, at], execute).map(drop)
}

/// Stores a new key with the name, role and lifetime of an old one, which ends after `overlap`. `false`
/// if there is no such key.
pub async fn rotate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    old: ApiKeyId,
    (id, key): (ApiKeyId, &NewApiKey),
    user: Option<UserId>,
    overlap: Span,
    now: Timestamp,
) -> Result<bool> {
    let Some(old) = details(tx, project, old).await? else { return Ok(false) };
    let expires_at = old.expires_at.map(|at| now + (at - old.created_at));
    let with = KeySettings { name: &old.name, role: old.role, user, expires_at };
    insert_with(tx, project, id, key, with, now).await?;
    if overlap == Span::ZERO {
        revoke(tx, project, old.id, now).await?;
    } else {
        expire(tx, project, old.id, now + overlap).await?;
    }
    Ok(true)
}

/// Notes the last use of a key.
pub async fn used(tx: &mut Tx<'_>, project: ProjectId, id: ApiKeyId, at: Timestamp) -> Result<()> {
    run!(tx, USED, [project, id, at], execute).map(drop)
}

/// Revokes a key and removes it from the directory. `false` if it is absent or revoked already.
pub async fn revoke(tx: &mut Tx<'_>, project: ProjectId, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    let Some((lookup,)) = run!(tx, REVOKE, [project, id, now], fetch_optional as (String,))? else { return Ok(false) };
    let pointer = unscoped::Pointer { project_id: project, object_id: id.uuid() };
    unscoped::forget(tx, DirectoryKind::ApiKey, &lookup, pointer).await?;
    Ok(true)
}

/// Revokes the keys that a user created with more rights than `role`; all of them for `None`. Returns
/// those that it revoked.
pub async fn revoke_of_user(
    tx: &mut Tx<'_>,
    project: ProjectId,
    user: UserId,
    role: Option<Role>,
    now: Timestamp,
) -> Result<Vec<ApiKeyId>> {
    let mut revoked = Vec::new();
    for key in run!(tx, OF_USER, [project, user], fetch_all as KeyDetails)? {
        let is_kept = role.is_some_and(|role| role.includes(key.role.unwrap_or(Role::Owner)));
        if !is_kept && revoke(tx, project, key.id, now).await? {
            revoked.push(key.id);
        }
    }
    Ok(revoked)
}
