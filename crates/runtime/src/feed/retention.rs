//! Deletion of old events.

use super::resume::KEPT;
use store::{Result, Store, expired::Deleted, transact, unscoped};

/// Events of one transaction.
const STEP: i64 = 1_000;

/// Deletes some of the events that are too old to be resumed from.
pub async fn delete_some(store: &Store) -> Result<Deleted> {
    let before = {
        let mut reader = store.read().await?;
        unscoped::database_time(&mut reader.conn()).await? - KEPT
    };
    let rows = transact!(store, "events.delete", tx => unscoped::delete_events_before(tx, before, STEP).await)?;
    Ok(Deleted { rows, more: i64::try_from(rows).unwrap_or(i64::MAX) >= STEP })
}
