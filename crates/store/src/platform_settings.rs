//! Settings that all nodes of a database share. The first node that needs a value creates it.

use crate::db::{Conn, Result, Tx, run, statements};

statements! {
    ENSURE = ["INSERT INTO platform_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name \
               RETURNING value"];
    FIND = ["SELECT value FROM platform_settings WHERE name = $1"];
    TAKE = ["DELETE FROM platform_settings WHERE name = $1 RETURNING value"];
    REMOVE = ["DELETE FROM platform_settings WHERE name = $1"];
}

/// Returns the stored value, or stores `fresh`.
pub async fn ensure(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
    Ok(run!(tx, ENSURE, [name, fresh], fetch_one as (Vec<u8>,))?.0)
}

pub async fn find(conn: &mut Conn<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(run!(conn, FIND, [name], fetch_optional as (Vec<u8>,))?.map(|(value,)| value))
}

pub async fn remove(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    run!(tx, REMOVE, [name], execute).map(drop)
}

/// Removes a value and returns it; of several transactions only one gets it.
pub async fn take(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(run!(tx, TAKE, [name], fetch_optional as (Vec<u8>,))?.map(|(value,)| value))
}
