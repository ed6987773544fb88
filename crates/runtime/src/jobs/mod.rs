//! Work for later that no turn waits for.
//!
//! Local jobs are one transaction. External jobs take longer: those that call Meta (a template sync or
//! look-up, a read receipt, a media download, the proof of a number), and the deletion of a project.

mod external;
mod held_messages;
mod local;
mod media_download;
mod number_proof;
mod project_delete;
mod read_receipt;
mod retry;
mod template_refresh;
mod template_sync;

use crate::Context;
use domain::job::JobKind;
use store::{Result, jobs, unscoped::DueRow};

pub(crate) use external::{Queue, attempt, find_due, run, step as step_external};
pub(crate) use local::step as step_local;
pub use project_delete::begin as begin_project_deletion;
pub use read_receipt::Receipt;

/// Runs a due job of any kind but test runs.
pub(crate) async fn run_any(ctx: &Context, due: DueRow) -> Result<()> {
    let kind = {
        let mut reader = ctx.store.read().await?;
        jobs::kind(&mut reader.conn(), due.project_id, due.id).await?
    };
    match kind.as_deref().map(str::parse) {
        None => Ok(()),
        Some(Ok(
            JobKind::SandboxSessionExpire | JobKind::UploadExpire | JobKind::HeldMessages | JobKind::PhoneReplyPause,
        )) => local::run(ctx, due, ctx.now()).await,
        Some(_) => run(ctx, due).await,
    }
}
