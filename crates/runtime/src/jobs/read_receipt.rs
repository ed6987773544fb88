//! Tells WhatsApp that a message was read, and that somebody types. Doing it twice does no harm, and a receipt that cannot be
//! delivered for some minutes is worth nothing any more.

use super::calls::later;
use crate::{Context, delivery::access_token, json::from_json};
use domain::{Span, ids::ProjectId};
use serde::{Deserialize, Serialize};
use store::{Result, jobs, jobs::JobRow, transact};

/// Tries before it is given up.
const TRIES: i64 = 5;

/// What WhatsApp is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The number that it came to.
    pub phone_number_id: String,
    /// The message, by Meta's id.
    pub wamid: String,
    /// Also show that somebody types.
    pub typing: bool,
}

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let receipt = from_json::<Receipt>("receipt", &job.payload)?;
    if !tell(ctx, project, &receipt).await? && job.attempt < TRIES {
        return later(ctx, project, job, Span::from_secs(1 << job.attempt), "WhatsApp did not take it").await;
    }
    transact!(ctx.store, "receipt.done", tx => jobs::finish(tx, project, job).await)
}

async fn tell(ctx: &Context, project: ProjectId, receipt: &Receipt) -> Result<bool> {
    let Some(token) = access_token(ctx, project, &receipt.phone_number_id).await? else {
        // A number without a token tells nobody anything.
        return Ok(true);
    };
    Ok(ctx.graph.mark_read(&receipt.phone_number_id, &token, &receipt.wamid, receipt.typing).await)
}
