//! Statuses of sent messages: they advance the message, and settle a send whose answer was lost.
//!
//! The token that was sent with the message identifies its row; other tokens are ignored. A message
//! that was written on the shop's phone has none, and is found by its id.

use super::sandbox;
use crate::{Context, events, hooks, media, outbox::deliver_outcome};
use domain::{
    Timestamp,
    event::Event,
    ids::ProjectId,
    message::{Delivery, MessageOrigin},
    phone,
};
use engine::SendOutcome;
use gateways::whatsapp::{
    token,
    webhook::{Status, StatusUpdate},
};
use serde_json::json;
use store::{
    Result, Tx,
    contacts::{self, Identity},
    conversations,
    messages::{self, StatusChange},
    outbox::{self, OutboxState, Settlement},
    unscoped::{self, DirectoryKind},
};

pub(super) async fn store(ctx: &Context, tx: &mut Tx<'_>, status: &StatusUpdate) -> Result<()> {
    let now = ctx.now();
    let tracking = status.opaque.as_deref().and_then(|opaque| token::read(&ctx.tracking_key, opaque));
    let to = delivery(&status.status);
    let (Some(tracking), Some(to)) = (tracking, to) else {
        let is_stored = match to.filter(|_| status.opaque.is_none()) {
            Some(to) => of_phone(ctx, tx, status, to).await?,
            None => false,
        };
        if !is_stored {
            metrics::counter!("chasqui_statuses_ignored_total").increment(1);
        }
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
    let error = error_of(status);
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

/// Advances a message that was written on the shop's phone: its statuses have no token. `false`: no
/// such message is stored.
async fn of_phone(ctx: &Context, tx: &mut Tx<'_>, status: &StatusUpdate, to: Delivery) -> Result<bool> {
    let phone = status.recipient.as_deref().and_then(|number| phone::normalise(number).ok());
    let (Some(phone), number) = (phone, &status.phone_number_id) else { return Ok(false) };
    let project = match &ctx.sandbox {
        Some(shared) if shared.phone_number_id == *number => sandbox::project_of(ctx, tx, Some(&phone)).await?,
        _ => unscoped::look_up(tx, DirectoryKind::Number, number).await?.map(|pointer| pointer.project_id),
    };
    let Some(project) = project else { return Ok(false) };
    let contact = contacts::by_identity(tx, project, &Identity::phone_number(phone.canonical())).await?;
    let Some(contact) = contact else { return Ok(false) };
    let row = messages::of_contact(tx, project, contact, number, &status.wamid).await?;
    let Some(row) = row.filter(|row| row.origin == MessageOrigin::Phone) else { return Ok(false) };
    let (now, error) = (ctx.now(), error_of(status));
    let change = StatusChange { to, at: status.at.unwrap_or(now), error: error.as_deref(), wamid: None, now };
    messages::advance(tx, project, row.id, &change).await?;
    let body = json!({"status": to.as_str(), "conversation_id": row.conversation_id});
    events::append(ctx, tx, project, Event::MessageStatus, row.id.uuid(), &body).await?;
    hooks::message_status(ctx, tx, project, row.conversation_id, row.id, to, now).await?;
    Ok(true)
}

fn error_of(status: &StatusUpdate) -> Option<String> {
    let error = status.error.as_ref()?;
    Some(json!({"code": error.code, "title": error.title, "details": error.details}).to_string())
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
