//! Marks a message as read at WhatsApp, optionally with a typing indicator.
//!
//! Repeating it is harmless, and a receipt is worthless after some minutes.

use super::retry::postpone;
use crate::{Context, json::from_json, senders::access_token};
use domain::{Span, ids::ProjectId};
use serde::{Deserialize, Serialize};
use store::{Result, jobs, jobs::JobRow, transact};

const MAX_ATTEMPTS: i64 = 5;

/// The job's payload.
#[derive(Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The number that received the message.
    pub phone_number_id: String,
    pub wamid: String,
    /// Also shows a typing indicator.
    pub typing: bool,
}

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let receipt = from_json::<Receipt>("receipt", &job.payload)?;
    if !send(ctx, project, &receipt).await? && job.attempt < MAX_ATTEMPTS {
        let wait = Span::from_secs(1 << job.attempt);
        return postpone(ctx, project, job, wait, "WhatsApp did not accept it").await;
    }
    transact!(ctx.store, "receipt.done", tx => jobs::finish(tx, project, job).await)
}

/// Returns whether it is done.
async fn send(ctx: &Context, project: ProjectId, receipt: &Receipt) -> Result<bool> {
    // Without a token it can never be sent.
    let Some(token) = access_token(ctx, project, &receipt.phone_number_id).await? else { return Ok(true) };
    Ok(ctx.graph.mark_read(&receipt.phone_number_id, &token, &receipt.wamid, receipt.typing).await)
}
