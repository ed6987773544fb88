//! Statuses of what we sent: they move a message forward, and settle a send whose answer was lost.
//!
//! A status finds its row by the token that we sent with the message; a token that is not ours changes nothing.

use crate::{Context, delivery};
use domain::{Timestamp, event::Event, ids::ProjectId, message::Delivery};
use engine::SendOutcome;
use gateways::whatsapp::{
    token,
    webhook::{Status, StatusUpdate},
};
use serde_json::json;
use store::{
    Result, Tx, conversations, events,
    messages::{self, StatusChange},
    outbox::{self, OutboxState, Settle},
};

pub(super) async fn store(ctx: &Context, tx: &mut Tx<'_>, status: &StatusUpdate) -> Result<()> {
    let now = ctx.now();
    let tracking = status.opaque.as_deref().and_then(|opaque| token::read(&ctx.tracking_key, opaque));
    let (Some(tracking), Some(to)) = (tracking, delivery(&status.status)) else {
        metrics::counter!("statuses_ignored_total").increment(1);
        return Ok(());
    };
    let project = tracking.project;
    let Some(row) = outbox::note_wamid(tx, project, tracking.outbox, &status.wamid, now).await? else { return Ok(()) };
    if row.wamid.as_deref() != Some(&status.wamid) {
        // An earlier attempt got through after all: the person has the message twice.
        metrics::counter!("outbound_duplicates_total").increment(1);
        tracing::warn!(outbox = %row.id, attempt = tracking.attempt, "a repeated attempt was delivered as well");
        return Ok(());
    }
    let error = status
        .error
        .as_ref()
        .map(|error| json!({"code": error.code, "title": error.title, "details": error.details}).to_string());
    let change =
        StatusChange { to, at: status.at.unwrap_or(now), error: error.as_deref(), wamid: Some(&status.wamid), now };
    let left = messages::advance(tx, project, row.message_id, &change).await?;
    // What follows a file waited for this.
    if left.is_some_and(|(kind, _)| delivery::is_file(&kind))
        && conversations::let_send(tx, project, row.conversation_id).await?
    {
        outbox::let_go(tx, project, row.conversation_id, now).await?;
    }
    let body = json!({"status": to.as_str(), "conversation_id": row.conversation_id}).to_string();
    let (id, object) = (ctx.new_uuid(), row.message_id.uuid());
    events::append(&mut tx.scope(project, now), id, Event::MessageStatus, object, &body).await?;
    // An attempt that is under way settles its row itself, and finds the id that was just noted.
    if row.state == OutboxState::Unknown || row.state == OutboxState::Queued {
        return settle(tx, project, &row, &status.wamid, now).await;
    }
    Ok(())
}

/// The proof that an unclear attempt waited for, or that makes another attempt needless. The execution is told through its
/// mailbox: nothing that a turn may trip over belongs into the transaction that takes Meta's word.
async fn settle(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &outbox::OutboxRow,
    wamid: &str,
    now: Timestamp,
) -> Result<()> {
    let settle = Settle { state: OutboxState::Accepted, next_at: now, wamid: Some(wamid), error: None, now };
    let row = outbox::settle(tx, project, row.id, row.epoch, &settle).await?;
    let told = SendOutcome::Accepted { message_id: row.message_id.to_string() };
    delivery::post(tx, project, &row, told, now).await
}

fn delivery(status: &Status) -> Option<Delivery> {
    match status {
        Status::Sent => Some(Delivery::Sent),
        Status::Delivered => Some(Delivery::Delivered),
        Status::Read => Some(Delivery::Read),
        Status::Played => Some(Delivery::Played),
        Status::Failed => Some(Delivery::Failed),
        Status::Deleted | Status::Other(_) => None,
    }
}
