//! Puts an external job off.

use crate::Context;
use domain::{Span, ids::ProjectId};
use gateways::whatsapp::CallError;
use store::{Result, jobs, jobs::JobRow, transact};

pub(super) async fn postpone(ctx: &Context, project: ProjectId, job: &JobRow, wait: Span, why: &str) -> Result<()> {
    let at = ctx.now() + wait;
    transact!(ctx.store, "call.later", tx => jobs::again(tx, project, job, at, why).await)
}

/// Meta's Retry-After, else an exponential delay from five seconds to 21 minutes.
pub(super) fn backoff(attempt: i64, error: &CallError) -> Span {
    match error {
        CallError::Refused { retry_after_ms: Some(ms), .. } => Span::from_millis(*ms),
        _ => Span::from_secs(5 << attempt.clamp(1, 9).saturating_sub(1)),
    }
}
