//! Keeps the leases of conversations whose turns take longer than a lease.

use crate::Context;
use store::{conversations::LEASE, transact, unscoped};

/// Renews every lease that this node holds.
pub(super) async fn step(ctx: &Context) -> store::Result<()> {
    transact!(ctx.store, "leases.renew", tx => unscoped::renew_leases(tx, &ctx.node, LEASE).await).map(drop)
}
