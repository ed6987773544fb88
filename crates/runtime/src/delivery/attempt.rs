//! Sends queued messages to WhatsApp, in order per conversation.
//!
//! Meta has no idempotency key, so a lost answer could mean a double send. The attempt is committed before the request is
//! opened, each request carries a token that statuses echo, and an attempt with an unknown end waits for such a status
//! before it is repeated (reliability.md §6).

use super::upload::upload;
use crate::{
    Context, failpoint,
    json::from_json,
    mailbox::mail,
    outbox::{Parcel, Payload},
    ownership,
    turn::{self, Held, Hold, engine_step},
    workers::Did,
};
use domain::{
    Span, Timestamp,
    ids::ProjectId,
    message::{self, Delivery, MessageStatus},
};
use engine::{Input, SendOutcome as Told};
use gateways::whatsapp::{Content, ErrorClass, Outgoing, Recipient, SendOutcome, token};
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;
use store::{
    Error, Tx, conversations, mailbox,
    messages::{self, StatusChange},
    outbox::{self, Claimed, OutboxRow, OutboxState, Policy, Settle},
    transact,
    unscoped::{self, DueOutbox},
    uploads,
};

/// How long what follows a file waits for WhatsApp to say that it has sent it.
const FILE_LEAD: Span = Span::from_secs(4);
/// Attempts before a message is given up.
const ATTEMPTS: i64 = 6;

/// Sends one due message.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_outbox(&mut reader.conn(), ctx.now(), 1).await?
    };
    let Some(due) = due.first() else { return Ok(Did::Nothing) };
    run(ctx, *due).await?;
    Ok(Did::Something)
}

/// Sends or settles a row that was seen as due. Does nothing if another worker was faster.
pub(crate) async fn run(ctx: &Context, due: DueOutbox) -> store::Result<()> {
    let project = due.project_id;
    // Read before the claim, so that a pause right after its commit counts as one.
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
    let under_way = ctx.sends.enter((project, row.id, row.epoch), began);
    let end = match was {
        // A status has proved since that an earlier attempt arrived.
        OutboxState::Queued if row.wamid.is_some() => End::Silence,
        // What fails before the request is opened has sent nothing, for certain.
        OutboxState::Queued => match send(ctx, project, &row, began).await {
            Ok(end) => end,
            Err(Error::StaleEpoch) => return Err(Error::StaleEpoch),
            Err(error) => End::Later { after: backoff(row.attempt), message: error.to_string() },
        },
        // The worker that was sending died; what it sent may have arrived.
        OutboxState::Sending => End::Unclear("the sender died".into()),
        _ => End::Silence,
    };
    let _inside = ctx.interrupts.enter(row.conversation_id);
    let held = settle(ctx, project, row, end).await?;
    drop(under_way);
    failpoint::reach("settle.committed");
    turn::go_on(ctx, held).await
}

fn tracking_token(ctx: &Context, project: ProjectId, row: &OutboxRow) -> String {
    token::issue(&ctx.tracking_key, project, row.id, u32::try_from(row.attempt).unwrap_or(u32::MAX))
}

/// How an attempt ended, or the waiting for one.
pub(super) enum End {
    Accepted {
        wamid: String,
    },
    Refused {
        code: &'static str,
        message: String,
    },
    Later {
        after: Span,
        message: String,
    },
    Unclear(String),
    /// No status told within the window.
    Silence,
}

impl End {
    /// Not sent, for certain; to be tried again when the row's attempts say so.
    pub(super) fn later(row: &OutboxRow, message: String) -> Self {
        Self::Later { after: backoff(row.attempt), message }
    }
}

/// In WhatsApp's shape. WhatsApp fetches a file itself, but a link that an agent gives to an address that agents may not
/// reach is not handed to anybody.
async fn content(
    ctx: &Context,
    project: ProjectId,
    row: &OutboxRow,
    token: &SecretString,
    payload: &Payload,
) -> store::Result<Result<Content, End>> {
    Ok(Ok(match &payload.content {
        Parcel::Ready { ready } => ready.clone(),
        Parcel::File { file } => return upload(ctx, project, row, token, payload, file).await,
        Parcel::Said(message::Content::Media(media)) => match ctx.egress.check(&media.url).await {
            Ok(_) => Content::Media(media.clone().into()),
            Err(refusal) => return Ok(Err(End::Refused { code: refusal.code.as_str(), message: refusal.message })),
        },
        Parcel::Said(said) => said.clone().into(),
    }))
}

/// A node that was paused after it wrote the attempt may have been given up meanwhile, or may be any moment: it asks, and
/// takes a whole lease, before it sends.
const FRESH: Duration = Duration::from_secs(2);

async fn still_ours(ctx: &Context, project: ProjectId, row: &OutboxRow, mut began: Duration) -> store::Result<()> {
    // Again where the asking itself took long.
    while ctx.clock.monotonic().saturating_sub(began) >= FRESH {
        began = ctx.clock.monotonic();
        let held = transact!(ctx.store, "outbox.hold_on", tx => outbox::hold_on(tx, project, row).await)?;
        if !held {
            return Err(Error::StaleEpoch);
        }
    }
    Ok(())
}

async fn send(ctx: &Context, project: ProjectId, row: &OutboxRow, began: Duration) -> store::Result<End> {
    let payload: Payload = from_json("payload", &row.payload)?;
    let Some(token) = access_token(ctx, project, &row.phone_number_id).await? else {
        return Ok(End::Refused { code: "channel_auth", message: "the number has no access token".into() });
    };
    let to = match (&payload.wa_id, &payload.user_id) {
        (Some(number), _) => Recipient::Phone(number.clone()),
        (None, Some(user)) => Recipient::UserId(user.clone()),
        (None, None) => return Ok(End::Refused { code: "send_failed", message: "the contact has no address".into() }),
    };
    let content = match content(ctx, project, row, &token, &payload).await? {
        Ok(content) => content,
        Err(refused) => return Ok(refused),
    };
    let message = Outgoing { to, content, reply_to: None, opaque: tracking_token(ctx, project, row) };
    failpoint::reach("send.open");
    still_ours(ctx, project, row, began).await?;
    let outcome = ctx.graph.send(&row.phone_number_id, &token, &message).await;
    failpoint::reach("send.answered");
    metrics::counter!("send_attempts_total", "class" => outcome.word()).increment(1);
    Ok(match outcome {
        SendOutcome::Accepted { wamid, .. } => End::Accepted { wamid },
        SendOutcome::NotSent { message } => End::later(row, message),
        SendOutcome::Unknown { message } => End::Unclear(message),
        SendOutcome::Refused { class: ErrorClass::Throttle | ErrorClass::Server, message, retry_after_ms, .. } => {
            End::Later { after: retry_after_ms.map_or_else(|| backoff(row.attempt), Span::from_millis), message }
        }
        SendOutcome::Refused { class, message, .. } => {
            let code = match class {
                ErrorClass::Auth => "channel_auth",
                ErrorClass::Window => "outside_service_window",
                _ => "send_failed",
            };
            End::Refused { code, message }
        }
    })
}

/// Whether a message of this kind is a file.
pub(crate) fn is_file(kind: &str) -> bool {
    kind == "sticker" || message::MediaKind::parse(kind).is_some()
}

/// One second, doubled with each attempt.
fn backoff(attempt: i64) -> Span {
    Span::from_secs(1 << attempt.clamp(1, 8).saturating_sub(1))
}

/// The token of a number: the sandbox's, or the project's own secret.
pub(crate) async fn access_token(
    ctx: &Context,
    project: ProjectId,
    phone_number_id: &str,
) -> store::Result<Option<SecretString>> {
    if let Some(sandbox) = ctx.sandbox.as_ref().filter(|sandbox| sandbox.phone_number_id == phone_number_id) {
        return Ok(Some(sandbox.access_token.clone()));
    }
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let pointer = unscoped::look_up(&mut conn, unscoped::DirectoryKind::Number, phone_number_id).await?;
    let Some(pointer) = pointer.filter(|pointer| pointer.project_id == project) else { return Ok(None) };
    let id = domain::Id::from_uuid(pointer.object_id);
    let Some(config) = store::whatsapp_configs::find(&mut conn, project, id).await? else { return Ok(None) };
    let Some(token) = config.access_token_id else { return Ok(None) };
    let secret = store::secrets::reveal(&mut conn, &ctx.vault, project, token, "whatsapp_access_token").await?;
    // Another one took its place between the two reads.
    let secret = secret.ok_or_else(|| Error::Retry("the access token was replaced".into()))?;
    Ok(Some(SecretString::from(secret)))
}

/// Leaves the row as the attempt's end says and tells whoever waits, in one commit. A turn that cannot go on must not undo
/// what WhatsApp said, or the message would be sent again: then the outcome waits in the mailbox.
async fn settle(ctx: &Context, project: ProjectId, row: OutboxRow, end: End) -> store::Result<Option<Held>> {
    match settle_and(ctx, project, &row, &end, Tell::AtOnce).await {
        Err(error @ Error::Damaged { .. }) => {
            tracing::error!(conversation = %row.conversation_id, %error, "a turn cannot go on");
            settle_and(ctx, project, &row, &end, Tell::ByMail).await
        }
        settled => settled,
    }
}

/// How the waiting execution hears of an outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    /// In this transaction, where nobody holds the conversation.
    AtOnce,
    /// Through its mailbox.
    ByMail,
}

async fn settle_and(
    ctx: &Context,
    project: ProjectId,
    row: &OutboxRow,
    end: &End,
    how: Tell,
) -> store::Result<Option<Held>> {
    transact!(ctx.store, "outbox.settle", tx => {
        let now = ctx.now();
        // A status may have told the wamid while the request was open; it is proof, whatever the request's end was.
        let proven = outbox::find(tx, project, row.id).await?.and_then(|row| row.wamid);
        let end = match (end, proven) {
            (End::Accepted { .. }, _) | (_, None) => end,
            (_, Some(wamid)) => &End::Accepted { wamid },
        };
        let plan = Plan::of(row, end, now, ctx.reconcile_window);
        let detail = plan.error.as_deref();
        outbox::end_attempt(tx, (project, row.id, row.attempt), plan.state.as_str(), detail, now).await?;
        let settle = Settle { state: plan.state, next_at: plan.next_at, wamid: plan.wamid, error: detail, now };
        let row = outbox::settle(tx, project, row.id, row.epoch, &settle).await?;
        if plan.state == OutboxState::Queued && row.execution_id.is_some() {
            ownership::withdraw_if_assigned(tx, project, row.conversation_id, now).await?;
        }
        if let Some(wamid) = plan.wamid {
            let left = messages::accepted(tx, project, row.message_id, wamid, now).await?;
            // A file tends to show up after the text that follows it, so what follows waits for its status.
            if left.is_some_and(|(kind, status)| is_file(&kind) && status == MessageStatus::Pending) {
                conversations::hold_sends(tx, project, row.conversation_id, now + FILE_LEAD).await?;
                outbox::hold(tx, project, row.conversation_id, now + FILE_LEAD).await?;
            }
        }
        if plan.state == OutboxState::Failed {
            if let Ok(Payload { content: Parcel::File { file }, .. }) = from_json("payload", &row.payload) {
                uploads::delete(tx, project, file.upload).await?;
            }
            let change = StatusChange { to: Delivery::Failed, at: now, error: detail, wamid: None, now };
            messages::advance(tx, project, row.message_id, &change).await?;
        }
        let held = match plan.told {
            Some(told) if how == Tell::AtOnce => tell(ctx, tx, project, &row, told, now).await?,
            Some(told) => post(tx, project, &row, told, now).await.map(|()| None)?,
            None => None,
        };
        failpoint::reach("settle.commit");
        Ok(held)
    })
}

struct Plan<'a> {
    state: OutboxState,
    next_at: Timestamp,
    wamid: Option<&'a str>,
    error: Option<String>,
    told: Option<Told>,
}

impl<'a> Plan<'a> {
    /// `reconcile` is how long a status may take to tell how an unclear attempt ended.
    fn of(row: &OutboxRow, end: &'a End, now: Timestamp, reconcile: Span) -> Self {
        let message_id = row.message_id.to_string();
        let failed = |code: &str, message: &str| Self {
            state: OutboxState::Failed,
            next_at: now,
            wamid: None,
            error: Some(json!({"code": code, "message": message}).to_string()),
            told: Some(Told::Failed { code: code.into(), message: message.into() }),
        };
        let unsettled = |state, next_at, why: &str| Self {
            state,
            next_at,
            wamid: None,
            error: Some(json!({"message": why}).to_string()),
            told: None,
        };
        let too_late = |after: Span| now + after > row.give_up_at;
        // What is certainly not sent can be tried for as long as it is worth anything, unless an agent waits; what may have
        // arrived already is not repeated for ever.
        let exhausted = |after: Span| row.execution_id.is_some() && row.attempt >= ATTEMPTS || too_late(after);
        match end {
            End::Accepted { wamid } => Self {
                state: OutboxState::Accepted,
                next_at: now,
                wamid: Some(wamid),
                error: None,
                told: Some(Told::Accepted { message_id }),
            },
            End::Refused { code, message } => failed(code, message),
            End::Later { after, message } if exhausted(*after) => failed("send_failed", message),
            End::Later { after, message } => unsettled(OutboxState::Queued, now + *after, message),
            End::Unclear(why) => unsettled(OutboxState::Unknown, now + reconcile, why),
            // For free-form replies a silent bot is worse than a repeat; other rows are left to a person.
            End::Silence if row.policy == Policy::Retry && row.attempt < ATTEMPTS && !too_late(Span::ZERO) => {
                unsettled(OutboxState::Queued, now, "no status told")
            }
            End::Silence => Self {
                state: OutboxState::Unconfirmed,
                next_at: now,
                wamid: None,
                error: Some(json!({"code": "unconfirmed", "message": "nobody knows whether it was sent"}).to_string()),
                told: Some(Told::Unconfirmed { message_id }),
            },
        }
    }
}

/// Feeds the outcome to the execution that waits for it: at once where nobody holds the conversation, else through its
/// mailbox, where the holder finds it at the next step.
async fn tell(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    told: Told,
    now: Timestamp,
) -> store::Result<Option<Held>> {
    let (Some(effect), Some(execution)) = (row.effect_id.clone(), row.execution_id) else { return Ok(None) };
    let Some(conversation) = conversations::claim_if_free(tx, project, row.conversation_id, &ctx.node).await? else {
        return post(tx, project, row, told, now).await.map(|()| None);
    };
    if conversation.execution_id == Some(execution) {
        return engine_step(ctx, tx, project, conversation, Hold::Kept, &[Input::Sent { effect, outcome: told }]).await;
    }
    // The execution is over and another one has begun, which must not hear of it.
    let release =
        conversations::Release { execution: conversation.execution_id, due_at: conversation.due_at, keep: false };
    conversations::release(tx, project, conversation.id, conversation.epoch, release).await?;
    Ok(None)
}

/// Puts the outcome into the mailbox of the conversation, if an execution waits for it.
pub(crate) async fn post(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    told: Told,
    now: Timestamp,
) -> store::Result<()> {
    let Some(effect) = row.effect_id.clone() else { return Ok(()) };
    let Some(conversation) = conversations::next_seq(tx, project, row.conversation_id, now).await? else {
        return Ok(());
    };
    let key = format!("sent:{effect}");
    let mail = mail(conversation.next_seq, key, &Input::Sent { effect, outcome: told })?;
    mailbox::put(tx, project, row.conversation_id, &mail).await?;
    conversations::wake(tx, project, row.conversation_id, now, conversation.burst_started_at).await
}
