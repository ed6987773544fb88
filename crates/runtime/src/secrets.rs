//! Named secrets of a project: the values of `{{secrets.name}}` in requests (docs/spec/engine.md
//! 1.7).
//!
//! They are revealed right before a request leaves and written nowhere.

use crate::{Context, derived_id::derived_id};
use domain::{
    Id,
    ids::{ProjectId, SecretId},
};
use std::collections::BTreeMap;
use store::{
    Conn, Tx,
    secrets::{self, SecretKind},
};

fn id_of(project: ProjectId, name: &str) -> SecretId {
    Id::from_uuid(derived_id(project, "secret", name))
}

/// The values of those names that the project has.
pub(crate) async fn values(
    ctx: &Context,
    project: ProjectId,
    names: impl Iterator<Item = &str>,
) -> store::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut names = names.peekable();
    if names.peek().is_none() {
        return Ok(values);
    }
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    for name in names {
        let value =
            secrets::reveal(&mut conn, &ctx.vault, project, id_of(project, name), SecretKind::AgentSecret).await?;
        values.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(values)
}

/// Creates or replaces the secret of this name.
pub async fn set(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, name: &str, value: &str) -> store::Result<()> {
    let mut scope = tx.scope(project, ctx.now());
    secrets::put(&mut scope, &ctx.vault, id_of(project, name), SecretKind::AgentSecret, value).await?;
    secrets::set_name(tx, project, id_of(project, name), name).await
}

/// The names without a secret.
pub async fn unset(conn: &mut Conn<'_>, project: ProjectId, names: Vec<String>) -> store::Result<Vec<String>> {
    let mut unset = Vec::new();
    for name in names {
        if !secrets::exists(conn, project, id_of(project, &name), SecretKind::AgentSecret).await? {
            unset.push(name);
        }
    }
    Ok(unset)
}

/// `false` if there is no secret of this name.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, name: &str) -> store::Result<bool> {
    let id = id_of(project, name);
    let exists = secrets::exists(tx, project, id, SecretKind::AgentSecret).await?;
    if exists {
        secrets::delete(tx, project, id).await?;
    }
    Ok(exists)
}
