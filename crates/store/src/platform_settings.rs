//! What all nodes of one database share; the first one that needs a value makes it.

use crate::db::{Result, Tx, run, statements};

statements! {
    ENSURE = ["INSERT INTO platform_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name \
               RETURNING value"];
}

/// The value of a setting, which is `fresh` unless another node was first.
pub async fn ensure(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
    Ok(run!(tx, ENSURE, [name, fresh], fetch_one as (Vec<u8>,))?.0)
}
