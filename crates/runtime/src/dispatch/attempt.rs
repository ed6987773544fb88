//! One attempt: claims an entry, sends it, and settles it.

use super::{
    decide::{not_sent, unconfirmed},
    settle::settle,
    upload::upload,
};
use crate::{
    Context, failpoint,
    json::from_json,
    outbox::{EntryContent, Payload},
    senders::access_token,
    slots::Slot,
    suspects, turn,
    worker_step::Did,
};
use domain::{Span, ids::ProjectId, message};
use gateways::whatsapp::{Content, ErrorClass, Outgoing, Recipient, SendOutcome, token};
use secrecy::SecretString;
use std::time::Duration;
use store::{
    Error,
    due::{self, SharedWork},
    outbox::{self, Claimed, OutboxRow, OutboxState, Settlement},
    suspects::WorkKind,
    transact,
    unscoped::DueOutbox,
};

/// Sends one due message.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        due::first(&mut reader.conn(), SharedWork::Sends, ctx.now()).await?
    };
    let Some(due) = due else { return Ok(Did::Nothing) };
    run(ctx, due.send(), None).await?;
    Ok(Did::Something)
}

/// Sends or settles an entry that was seen as due. Does nothing if another worker was faster. Frees
/// the slot before the turn continues.
pub(crate) async fn run(ctx: &Context, due: DueOutbox, slot: Option<Slot>) -> store::Result<()> {
    let project = due.project_id;
    let work = suspects::work(WorkKind::Send, project, due.id);
    let in_flight = ctx.in_flight.enter(work);
    // Read before the claim, so that a pause right after its commit counts.
    let began = ctx.clock.monotonic();
    let claimed = transact!(ctx.store, "outbox.attempt", tx => {
        let now = ctx.now();
        let Some(claimed) = outbox::claim(tx, due, &ctx.node, now).await? else { return Ok(None) };
        if claimed.was == OutboxState::Queued {
            let token = tracking_token(ctx, project, &claimed.row);
            outbox::begin_attempt(tx, project, &claimed.row, &token, now).await?;
        }
        failpoint::reach("attempt.commit");
        Ok(Some(claimed))
    })?;
    failpoint::reach("attempt.committed");
    let Some(Claimed { row, was }) = claimed else { return Ok(()) };
    let lease = ctx.sends.enter((project, row.id, row.epoch), began);
    let settlement = match was {
        // A status has confirmed an earlier attempt since; settling finds its id.
        OutboxState::Queued if row.wamid.is_some() => unconfirmed(&row, ctx.now()),
        // An error before the request is opened means that nothing was sent.
        OutboxState::Queued => match send(ctx, project, &row, began).await {
            Ok(settlement) => settlement,
            Err(Error::StaleEpoch) => return Err(Error::StaleEpoch),
            Err(error) => not_sent(&row, ctx.now(), None, error.to_string()),
        },
        // The worker that was sending died; its message may have arrived.
        OutboxState::Sending => unknown(ctx, "the sending worker died".into()),
        _ => unconfirmed(&row, ctx.now()),
    };
    let _interrupts = ctx.interrupts.enter(row.conversation_id);
    // From here the work is the conversation's turn.
    drop(in_flight);
    let _in_flight = ctx.in_flight.enter(suspects::work(WorkKind::Turn, project, row.conversation_id));
    // The turn may wait for a tool: it needs a slot for turns, and leaves that of the send.
    let turn_slot = ctx.slots.turns.take(project);
    let turn = settle(ctx, project, row, settlement, turn_slot.is_some()).await?;
    drop((lease, slot));
    let _turn_slot = turn_slot.filter(|_| turn.is_some());
    // Settling what a dead worker began says nothing about the send itself.
    if was == OutboxState::Queued {
        suspects::clear(ctx, work).await?;
    }
    failpoint::reach("settle.committed");
    turn::continue_turn(ctx, turn).await
}

fn tracking_token(ctx: &Context, project: ProjectId, row: &OutboxRow) -> String {
    token::issue(&ctx.tracking_key, project, row.id, u32::try_from(row.attempt).unwrap_or(u32::MAX))
}

/// The message may have been sent: a status may still confirm it.
fn unknown(ctx: &Context, message: String) -> Settlement {
    Settlement::Unknown { until: ctx.now() + ctx.reconcile_window, message }
}

/// A claim younger than this is certainly still ours.
const FRESH: Duration = Duration::from_secs(2);

/// Renews the lease before a request that follows a pause: another node may have reclaimed the
/// entry meanwhile.
async fn ensure_claimed(ctx: &Context, project: ProjectId, row: &OutboxRow, mut began: Duration) -> store::Result<()> {
    // Repeated if the renewal itself took long.
    while ctx.clock.monotonic().saturating_sub(began) >= FRESH {
        began = ctx.clock.monotonic();
        let renewed = transact!(ctx.store, "outbox.hold_on", tx => outbox::hold_on(tx, project, row).await)?;
        if !renewed {
            return Err(Error::StaleEpoch);
        }
    }
    Ok(())
}

async fn send(ctx: &Context, project: ProjectId, row: &OutboxRow, began: Duration) -> store::Result<Settlement> {
    failpoint::poison("send", || row.payload.as_str());
    let payload: Payload = from_json("payload", &row.payload)?;
    let failed = |code, message: &str| Settlement::Failed { code, message: message.into() };
    let Some(token) = access_token(ctx, project, &row.phone_number_id).await? else {
        return Ok(failed("channel_auth", "the number has no access token"));
    };
    let to = match (&payload.wa_id, &payload.user_id) {
        (Some(number), _) => Recipient::Phone(number.clone()),
        (None, Some(user)) => Recipient::UserId(user.clone()),
        (None, None) => return Ok(failed("send_failed", "the contact has no address")),
    };
    let content = match content(ctx, project, row, &token, &payload).await? {
        Ok(content) => content,
        Err(settlement) => return Ok(settlement),
    };
    let message = Outgoing { to, content, reply_to: None, opaque: tracking_token(ctx, project, row) };
    failpoint::reach("send.open");
    ensure_claimed(ctx, project, row, began).await?;
    let answer = ctx.graph.send(&row.phone_number_id, &token, &message).await;
    failpoint::reach("send.answered");
    metrics::counter!("chasqui_send_attempts_total", "class" => answer.word()).increment(1);
    Ok(match answer {
        SendOutcome::Accepted { wamid, .. } => Settlement::Accepted { wamid },
        SendOutcome::NotSent { message } => not_sent(row, ctx.now(), None, message),
        SendOutcome::Unknown { message } => unknown(ctx, message),
        SendOutcome::Refused { class: ErrorClass::Throttle | ErrorClass::Server, message, retry_after_ms, .. } => {
            not_sent(row, ctx.now(), retry_after_ms.map(Span::from_millis), message)
        }
        SendOutcome::Refused { class, message, .. } => {
            let code = match class {
                ErrorClass::Auth => "channel_auth",
                ErrorClass::Window => "outside_service_window",
                _ => "send_failed",
            };
            Settlement::Failed { code, message }
        }
    })
}

/// The content in WhatsApp's form. WhatsApp fetches media from its URL itself, but gets no URL that
/// agents may not reach.
async fn content(
    ctx: &Context,
    project: ProjectId,
    row: &OutboxRow,
    token: &SecretString,
    payload: &Payload,
) -> store::Result<Result<Content, Settlement>> {
    Ok(Ok(match &payload.content {
        EntryContent::Ready { ready } => ready.clone(),
        EntryContent::File { file } => return upload(ctx, project, row, token, payload, file).await,
        EntryContent::Agent(message::Content::Media(media)) => match ctx.egress.check(&media.url).await {
            Ok(_) => Content::Media(media.clone().into()),
            Err(refusal) => {
                return Ok(Err(Settlement::Failed { code: refusal.code.as_str(), message: refusal.message }));
            }
        },
        EntryContent::Agent(content) => content.clone().into(),
    }))
}
