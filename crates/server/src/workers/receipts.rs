//! Tells WhatsApp that a message was read, and that somebody types. Doing it twice does no harm, and a receipt that cannot be
//! delivered for some minutes is worth nothing any more.

use super::{Did, from_json, outbox::access_token, wait_after};
use crate::Context;
use domain::Span;
use serde::{Deserialize, Serialize};
use store::{
    Result, jobs, transact,
    unscoped::{self, DueRow},
};

/// The job; its key is the message.
pub(crate) const RECEIPT_JOB: &str = "read_receipt";
/// Tries before it is given up.
const TRIES: i64 = 5;

/// What WhatsApp is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The number that it came to.
    pub(crate) phone_number_id: String,
    /// The message, by Meta's id.
    pub(crate) wamid: String,
    /// Also show that somebody types.
    pub(crate) typing: bool,
}

/// Sends one due receipt.
pub(super) async fn step(ctx: &Context) -> Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_receipts(&mut reader.conn(), ctx.now(), 1).await?
    };
    let Some(due) = due.first() else { return Ok(Did::Nothing) };
    run(ctx, *due).await?;
    Ok(Did::Something)
}

/// Sends a receipt that was seen as due. Does nothing if another worker was faster.
pub(super) async fn run(ctx: &Context, due: DueRow) -> Result<()> {
    let project = due.project_id;
    let claimed = transact!(ctx.store, "receipt.claim", tx => jobs::claim(tx, due, ctx.now()).await)?;
    let Some(job) = claimed else { return Ok(()) };
    let told = match from_json::<Receipt>("receipt", &job.payload) {
        Ok(receipt) => tell(ctx, due, &receipt).await,
        Err(error) => Err(error),
    };
    let wait = match told {
        Ok(true) => None,
        Ok(false) if job.attempt >= TRIES => None,
        Ok(false) => Some((Span::from_secs(1 << job.attempt), "WhatsApp did not take it".to_owned())),
        Err(error) => Some((wait_after(&error), error.to_string())),
    };
    transact!(ctx.store, "receipt.done", tx => match &wait {
        None => jobs::finish(tx, project, &job).await,
        Some((after, why)) => jobs::again(tx, project, &job, ctx.now() + *after, why).await,
    })
}

async fn tell(ctx: &Context, due: DueRow, receipt: &Receipt) -> Result<bool> {
    let Some(token) = access_token(ctx, due.project_id, &receipt.phone_number_id).await? else {
        // A number without a token tells nobody anything.
        return Ok(true);
    };
    Ok(ctx.graph.mark_read(&receipt.phone_number_id, &token, &receipt.wamid, receipt.typing).await)
}
