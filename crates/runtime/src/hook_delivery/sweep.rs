//! Deletes deliveries and events of outgoing webhooks after their retention.

use crate::Context;
use domain::{Span, ids::HookDeliveryId};
use store::{Result, hook_deliveries, transact, unscoped};
use uuid::Builder;

/// The log is kept for this long. An endpoint that is paused for longer loses what waits.
const KEPT: Span = Span::from_hours(30 * 24);
/// Rows of one transaction.
const AT_ONCE: i64 = 500;

/// Deletes what is older than the retention, in small transactions. Returns the number of rows.
pub async fn sweep(ctx: &Context) -> Result<u64> {
    let millis = u64::try_from(ctx.now().micros() / 1_000 - KEPT.millis()).unwrap_or(0);
    let before = HookDeliveryId::from_uuid(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid());
    let projects = {
        let mut reader = ctx.store.read().await?;
        unscoped::projects_with_hooks_before(&mut reader.conn(), before).await?
    };
    let mut all = 0;
    for project in projects {
        loop {
            let gone =
                transact!(ctx.store, "hook.sweep", tx => hook_deliveries::sweep(tx, project, before, AT_ONCE).await)?;
            all += gone;
            if gone == 0 || ctx.stopping.is_cancelled() {
                break;
            }
        }
    }
    Ok(all)
}
