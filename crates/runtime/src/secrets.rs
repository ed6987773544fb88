//! A project's named secrets: what `{{secrets.name}}` stands for in webhooks (engine.md 1.7). Opened right before a request leaves, and
//! never written anywhere.

use crate::{Context, derived::derived};
use domain::{
    Id,
    ids::{ProjectId, SecretId},
};
use std::collections::BTreeMap;
use store::Tx;

const KIND: &str = "agent_secret";

/// A name finds its row by the id that follows from it.
fn id_of(project: ProjectId, name: &str) -> SecretId {
    Id::from_uuid(derived(project, "secret", name))
}

/// The values of those names that the project has.
pub async fn of(
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
        let value = store::secrets::reveal(&mut conn, &ctx.vault, project, id_of(project, name), KIND).await?;
        values.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(values)
}

/// Sets a secret of a project, in place of the one of this name.
pub async fn set(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, name: &str, value: &str) -> store::Result<()> {
    store::secrets::put(tx, &ctx.vault, (project, id_of(project, name)), KIND, value, ctx.now()).await
}
