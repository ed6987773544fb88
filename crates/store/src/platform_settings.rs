//! Settings that all nodes of a database share. The first node that needs a value creates it.

use crate::db::{Result, Tx, run, statements};

statements! {
    ENSURE = ["INSERT INTO platform_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name \
               RETURNING value"];
}

/// Returns the stored value, or stores `fresh`.
pub async fn ensure(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
    Ok(run!(tx, ENSURE, [name, fresh], fetch_one as (Vec<u8>,))?.0)
}
