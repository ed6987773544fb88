//! Delivers outgoing webhooks: at least once, with a stable id, on the schedule of
//! docs/spec/reliability.md 6.
//!
//! Deliveries are claimed together in one commit, posted with no transaction open, and settled
//! together in another one. An endpoint has few requests open at once, and one whose latest attempt
//! failed has a single one, so a slow or dead receiver delays no other.

mod attempt;
mod find;
mod settle;
mod silence;
mod sweep;

pub(crate) use attempt::{Done, attempt};
pub use attempt::{body, stable_id};
pub(crate) use find::{Busy, Claimed, claim};
pub(crate) use settle::{park, settle};
pub(crate) use silence::step as step_silence;
pub use sweep::sweep;

use crate::{Context, worker_step::Did};
use futures::future::join_all;
use store::Result;

/// Delivers what is due once, for tests and the simulator.
pub(crate) async fn step(ctx: &Context) -> Result<Did> {
    let silence = step_silence(ctx).await?;
    let claimed = claim(ctx, &Busy::default()).await?;
    if claimed.is_empty() {
        return Ok(silence);
    }
    let done = join_all(claimed.into_iter().map(|claimed| attempt(ctx, claimed))).await;
    settle(ctx, &done).await.map(|()| Did::Something)
}
