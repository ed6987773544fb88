//! Servers of language models with a project's own key. The key is a secret with the provider's id.

use super::secrets::{self, SecretKind, Vault};
use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Id, Timestamp, ids::{ModelProviderId, ProjectId, SecretId}};

rows! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ModelProviderRow {
        pub id: ModelProviderId,
        /// As agents name it; unique in the project, ignoring case.
        pub name: String,
        /// As `CHASQUI_LLM_PROVIDER` names it.
        pub kind: String,
        /// The address of the kind if absent.
        pub base_url: Option<String>,
        /// Model of agents that name none; that of the kind if absent.
        pub model: Option<String>,
        /// The end of the key, empty for a short one; none without a key.
        pub key_hint: Option<String>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO model_providers (project_id, id, name, name_key, kind, base_url, model, key_hint, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"];
    FIND = ["SELECT ", ModelProviderRow, " FROM model_providers WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE model_providers SET updated_at = updated_at WHERE project_id = $1 AND id = $2 RETURNING ", ModelProviderRow];
    NAMED = ["SELECT ", ModelProviderRow, " FROM model_providers WHERE project_id = $1 AND name_key = $2"];
    UPDATE = ["UPDATE model_providers SET name = $3, name_key = $4, base_url = $5, model = $6, key_hint = $7, updated_at = $8 \
               WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM model_providers WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT ", ModelProviderRow, " FROM model_providers WHERE project_id = $1 \
             ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM model_providers WHERE project_id = $1"];
}

fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

fn secret(id: ModelProviderId) -> SecretId {
    Id::from_uuid(id.uuid())
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, p: &ModelProviderRow) -> Result<()> {
    run!(tx, INSERT, [project, p.id, p.name, key(&p.name), p.kind, p.base_url, p.model, p.key_hint, p.created_at, p.updated_at],
        execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ModelProviderId) -> Result<Option<ModelProviderRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ModelProviderRow)
}

/// Reads and locks a provider until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: ModelProviderId) -> Result<Option<ModelProviderRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as ModelProviderRow)
}

/// The provider of this name, in either case.
pub async fn named(conn: &mut Conn<'_>, project: ProjectId, name: &str) -> Result<Option<ModelProviderRow>> {
    run!(conn, NAMED, [project, key(name)], fetch_optional as ModelProviderRow)
}

/// The row must have been locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, p: &ModelProviderRow) -> Result<()> {
    run!(tx, UPDATE, [project, p.id, p.name, key(&p.name), p.base_url, p.model, p.key_hint, p.updated_at], execute).map(drop)
}

/// Deletes a provider and its key.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: ModelProviderId) -> Result<()> {
    secrets::delete(tx, project, secret(id)).await?;
    run!(tx, DELETE, [project, id], execute).map(drop)
}

/// A page of the project's providers, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, (limit, offset): (i64, i64)) -> Result<(Vec<ModelProviderRow>, i64)> {
    let rows = run!(conn, LIST, [project, limit, offset], fetch_all as ModelProviderRow)?;
    let (total,) = run!(conn, COUNT, [project], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// Encrypts and stores the key of a provider, or deletes it.
pub async fn set_key(
    tx: &mut Tx<'_>,
    vault: &Vault,
    project: ProjectId,
    p: &ModelProviderRow,
    plain: Option<&str>,
) -> Result<()> {
    match plain {
        Some(plain) => {
            let mut scope = tx.scope(project, p.updated_at);
            secrets::put(&mut scope, vault, secret(p.id), SecretKind::ModelProviderKey, plain).await
        }
        None => secrets::delete(tx, project, secret(p.id)).await,
    }
}

/// Decrypts the key of a provider; `None` if it has none.
pub async fn reveal_key(conn: &mut Conn<'_>, vault: &Vault, project: ProjectId, id: ModelProviderId) -> Result<Option<String>> {
    secrets::reveal(conn, vault, project, secret(id), SecretKind::ModelProviderKey).await
}
