//! Deletes rows whose stated life is over, in small transactions.

use crate::{Context, feed, worker_step::Did};
use store::{
    expired::{self, Deleted, Expired},
    transact,
};

/// Deletes some expired rows of each kind. `Something` if there may be more.
pub async fn sweep(ctx: &Context) -> store::Result<Did> {
    let mut more = count("events", feed::delete_some(&ctx.store).await?);
    for expired in Expired::ALL {
        let now = ctx.now();
        let deleted = transact!(ctx.store, "sweep", tx => expired::delete(tx, *expired, now).await)?;
        more |= count(expired.as_str(), deleted);
    }
    Ok(if more { Did::Something } else { Did::Nothing })
}

fn count(table: &'static str, deleted: Deleted) -> bool {
    metrics::counter!("chasqui_rows_swept_total", "table" => table).increment(deleted.rows);
    deleted.more
}
