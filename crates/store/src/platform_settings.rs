//! What all nodes of one database share; the first one that needs a value makes it.

use crate::{
    Conn, Result, Tx,
    sql::{run, statements},
};

statements! {
    ENSURE = ["INSERT INTO platform_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name \
               RETURNING value"];
    OTHER_KEY = ["SELECT kek_id FROM secrets WHERE kek_id <> $1 LIMIT 1"];
}

/// The value of a setting, which is `fresh` unless another node was first.
pub async fn ensure(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
    Ok(run!(tx, ENSURE, [name, fresh], fetch_one as (Vec<u8>,))?.0)
}

/// Whether any stored secret was sealed with another master key than the one of this id.
pub async fn has_secrets_of_another_key(conn: &mut Conn<'_>, kek_id: &str) -> Result<bool> {
    Ok(run!(conn, OTHER_KEY, [kek_id], fetch_optional as (String,))?.is_some())
}
