//! Statuses of sent messages: they advance the message, and settle a send whose answer was lost.
//!
//! The token that was sent with the message identifies its row; other tokens are ignored.

use crate::{Context, events, hooks, media, outbox::deliver_outcome};
use domain::{Timestamp, event::Event, ids::ProjectId, message::Delivery};
use engine::SendOutcome;
use gateways::whatsapp::{
    token,
    webhook::{Status, StatusUpdate},
};
use serde_json::json;
use store::{
    Result, Tx, conversations,
    messages::{self, StatusChange},
    outbox::{self, OutboxState, Settlement},
};

pub(super) async fn store(ctx: &Context, tx: &mut Tx<'_>, status: &StatusUpdate) -> Result<()> {
    let now = ctx.now();
    let tracking = status.opaque.as_deref().and_then(|opaque| token::read(&ctx.tracking_key, opaque));
    let (Some(tracking), Some(to)) = (tracking, delivery(&status.status)) else {
        metrics::counter!("chasqui_statuses_ignored_total").increment(1);
        return Ok(());
    };
    let project = tracking.project;
    let Some(row) = outbox::note_wamid(tx, project, tracking.outbox, &status.wamid, now).await? else { return Ok(()) };
    if row.wamid.as_deref() != Some(&status.wamid) {
        // An earlier attempt was delivered after all: the contact has the message twice.
        metrics::counter!("chasqui_outbound_duplicates_total").increment(1);
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
    // Sends that follow a file waited for this.
    if left.is_some_and(|(kind, _)| media::is_media(&kind))
        && conversations::let_send(tx, project, row.conversation_id).await?
    {
        outbox::let_go(tx, project, row.conversation_id, now).await?;
    }
    let body = json!({"status": to.as_str(), "conversation_id": row.conversation_id});
    events::append(ctx, tx, project, Event::MessageStatus, row.message_id.uuid(), &body).await?;
    hooks::message_status(ctx, tx, project, row.conversation_id, row.message_id, to, now).await?;
    // An attempt in progress settles its row itself and finds the id that was just recorded.
    if row.state == OutboxState::Unknown || row.state == OutboxState::Queued {
        return settle(tx, project, &row, &status.wamid, now).await;
    }
    Ok(())
}

/// Settles an unconfirmed attempt, or cancels another one. The outcome goes through the mailbox: a
/// turn that fails must not roll back the transaction that stores Meta's status.
async fn settle(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &outbox::OutboxRow,
    wamid: &str,
    now: Timestamp,
) -> Result<()> {
    let settlement = Settlement::Accepted { wamid: wamid.to_owned() };
    let row = outbox::settle(tx, project, row.id, row.epoch, &settlement, now).await?;
    let outcome = SendOutcome::Accepted { message_id: row.message_id.to_string() };
    deliver_outcome(tx, project, &row, outcome, now).await
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
