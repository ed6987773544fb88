//! Intended sends, in order per conversation, and every attempt at one.
//!
//! Meta has no idempotency key. So an attempt is written before its request is opened, carries a
//! token that Meta echoes in statuses, and an attempt with an unknown end waits for such a status
//! before it is repeated (docs/spec/reliability.md 6).

use crate::{conversations::lane, projects::Stopped, unscoped::DueOutbox, db::{Conn, Error, Result, Tx, rows, run, statements, stored_words}};
use domain::{words, Span, Timestamp, ids::{ConversationId, ExecutionId, MessageId, OutboxId, ProjectId}};
use serde_json::json;
use uuid::Uuid;

/// Length of a claim without renewal. A send can take longer (15 s), but a dead node's claim must
/// expire sooner.
pub const LEASE: Span = Span::from_secs(10);

words! {
    pub enum OutboxState {
        Queued = "queued",
        /// An attempt is written and its request may be open.
        Sending = "sending",
        /// The attempt's end is unknown; a status may still report it.
        Unknown = "unknown",
        /// WhatsApp has accepted it.
        Accepted = "accepted",
        /// It will not be sent.
        Failed = "failed",
        /// Delivery could not be confirmed, and the policy forbids another attempt.
        Unconfirmed = "unconfirmed",
    }

    /// Decides about a send when no status reports within the window whether it arrived.
    pub enum Policy {
        /// Repeat it: a silent agent is worse than a repeated message.
        Retry = "retry",
        /// Leave it to a person: it is billed, or a duplicate does harm.
        Surface = "surface",
    }
}
stored_words!(OutboxState, Policy);

rows! {
    /// A row as its worker needs it.
    #[derive(Debug, Clone)]
    pub struct OutboxRow {
        pub id: OutboxId,
        pub conversation_id: ConversationId,
        pub message_id: MessageId,
        /// The execution that waits for the outcome, if any.
        pub execution_id: Option<ExecutionId>,
        pub effect_id: Option<String>,
        pub phone_number_id: String,
        /// JSON: recipient and content.
        pub payload: String,
        pub state: OutboxState,
        /// Attempts made.
        pub attempt: i64,
        /// Time after which it is not tried again.
        pub give_up_at: Timestamp,
        pub policy: Policy,
        /// Fencing token, raised by each claim.
        pub epoch: i64,
        pub wamid: Option<String>,
        /// Why it failed, or why the last attempt did: JSON of code and message.
        pub error: Option<String>,
        /// Time of the next look.
        pub next_at: Timestamp,
    }
}

#[derive(Debug, Clone)]
pub struct NewOutbox<'a> {
    pub id: OutboxId,
    pub conversation: ConversationId,
    /// Its place in the conversation's order.
    pub out_seq: i64,
    /// Names the intent: a second row with the same key is the same intent.
    pub source_key: &'a str,
    pub message: MessageId,
    /// The execution and effect that wait for the outcome.
    pub waiting: Option<(ExecutionId, &'a str)>,
    pub phone_number_id: &'a str,
    /// JSON: recipient and content.
    pub payload: &'a str,
    pub policy: Policy,
    /// Given up after this long.
    pub patience: Span,
    /// Earliest time of the send.
    pub not_before: Timestamp,
    pub now: Timestamp,
}

/// Result of an attempt, as [`settle`] stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    Accepted { wamid: String },
    /// Not sent; to be tried again.
    Queued { at: Timestamp, message: String },
    /// It may have been sent; a status may still report it.
    Unknown { until: Timestamp, message: String },
    Failed { code: &'static str, message: String },
    /// It may have been sent, and no status reported it.
    Unconfirmed,
}

impl Settlement {
    /// The entry's new state.
    pub const fn state(&self) -> OutboxState {
        match self {
            Self::Accepted { .. } => OutboxState::Accepted,
            Self::Queued { .. } => OutboxState::Queued,
            Self::Unknown { .. } => OutboxState::Unknown,
            Self::Failed { .. } => OutboxState::Failed,
            Self::Unconfirmed => OutboxState::Unconfirmed,
        }
    }

    /// The stored error, as JSON.
    pub fn error(&self) -> Option<String> {
        let error = match self {
            Self::Accepted { .. } => return None,
            Self::Queued { message, .. } | Self::Unknown { message, .. } => json!({"message": message}),
            Self::Failed { code, message } => json!({"code": code, "message": message}),
            Self::Unconfirmed => json!({"code": "unconfirmed", "message": "delivery could not be confirmed"}),
        };
        Some(error.to_string())
    }

    /// Time of the next look, and Meta's id.
    fn columns(&self, now: Timestamp) -> (Timestamp, Option<&str>) {
        match self {
            Self::Accepted { wamid } => (now, Some(wamid)),
            Self::Queued { at, .. } => (*at, None),
            Self::Unknown { until, .. } => (*until, None),
            Self::Failed { .. } | Self::Unconfirmed => (now, None),
        }
    }
}

statements! {
    INSERT = ["INSERT INTO outbox (project_id, id, conversation_id, out_seq, source_key, message_id, execution_id, effect_id, \
               phone_number_id, payload, state, attempt, next_at, give_up_at, policy, lease_until, epoch, lane, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', 0, $15, $12, $14, 0, 0, $13, $11, $11)"];
    KNOWN = ["SELECT id FROM outbox WHERE project_id = $1 AND source_key = $2"];
    CLAIM = ["UPDATE outbox SET epoch = epoch + 1, lease_owner = $4, lease_until = ", db_now, " + $5, next_at = 0, \
              state = CASE WHEN state = 'queued' THEN 'sending' ELSE state END, \
              attempt = CASE WHEN state = 'queued' THEN attempt + 1 ELSE attempt END, updated_at = $6 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until < ", db_now, " AND next_at <= $6 \
              AND state = $7 AND state IN ('queued', 'sending', 'unknown') AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.project_id = $1 \
                  AND e.conversation_id = outbox.conversation_id AND e.out_seq < outbox.out_seq \
                  AND e.state IN ('queued', 'sending', 'unknown')) \
              AND NOT EXISTS (SELECT 1 FROM projects WHERE id = $1 AND (", Stopped, ")) \
              RETURNING ", OutboxRow];
    SEIZE = ["UPDATE outbox SET epoch = epoch + 1, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 \
              AND state IN ('queued', 'sending', 'unknown') RETURNING ", OutboxRow];
    RENEW = ["UPDATE outbox SET lease_until = ", db_now, " + $4 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until > ", db_now];
    HOLD_ON = ["UPDATE outbox SET lease_until = ", db_now, " + $4 \
                WHERE project_id = $1 AND id = $2 AND epoch = $3 AND state = 'sending'"];
    STATE_SEEN = ["SELECT state FROM outbox WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    BEGIN_ATTEMPT = ["INSERT INTO outbox_attempts (project_id, outbox_id, attempt, epoch, token, began_at) VALUES ($1, $2, $3, $4, $5, $6)"];
    END_ATTEMPT = ["UPDATE outbox_attempts SET ended_at = $4, outcome = $5, detail = $6 \
                    WHERE project_id = $1 AND outbox_id = $2 AND attempt = $3 AND ended_at IS NULL"];
    SETTLE = ["UPDATE outbox SET state = $4, next_at = $5, wamid = COALESCE(wamid, $6), error = $7, lease_owner = NULL, lease_until = 0, \
               updated_at = $8 WHERE project_id = $1 AND id = $2 AND epoch = $3 AND state IN ('queued', 'sending', 'unknown') \
               RETURNING ", OutboxRow];
    QUARANTINE = ["UPDATE outbox SET state = 'unconfirmed', epoch = epoch + 1, next_at = $4, error = $3, lease_owner = NULL, lease_until = 0, \
                   updated_at = $4 WHERE project_id = $1 AND id = $2 AND state IN ('queued', 'sending', 'unknown') RETURNING ", OutboxRow];
    FIND = ["SELECT ", OutboxRow, " FROM outbox WHERE project_id = $1 AND id = $2"];
    NOTE_WAMID = ["UPDATE outbox SET wamid = COALESCE(wamid, $3), updated_at = $4 WHERE project_id = $1 AND id = $2 \
                   RETURNING ", OutboxRow];
    WITHDRAW = ["UPDATE outbox SET state = 'failed', error = $3, lease_owner = NULL, lease_until = 0, updated_at = $4 \
                 WHERE project_id = $1 AND conversation_id = $2 AND execution_id IS NOT NULL AND state = 'queued' AND wamid IS NULL \
                 RETURNING ", OutboxRow];
    REPACK = ["UPDATE outbox SET payload = $4, updated_at = $5 WHERE project_id = $1 AND id = $2 AND epoch = $3 \
               AND state IN ('queued', 'sending', 'unknown')"];
    HOLD = ["UPDATE outbox SET next_at = $3 WHERE project_id = $1 AND conversation_id = $2 AND state = 'queued' AND next_at < $3"];
    LET_GO = ["UPDATE outbox SET next_at = $3 WHERE project_id = $1 AND conversation_id = $2 AND state = 'queued' AND attempt = 0 \
               AND next_at > $3"];
    ON_ITS_WAY = ["SELECT id FROM outbox WHERE project_id = $1 AND conversation_id = $2 AND message_id = $3 \
                   AND state IN ('queued', 'sending', 'unknown')"];
    IN_FLIGHT = ["SELECT id FROM outbox WHERE project_id = $1 AND conversation_id = $2 AND state IN ('sending', 'unknown') AND wamid IS NULL \
                  AND EXISTS (SELECT 1 FROM messages WHERE project_id = $1 AND id = outbox.message_id AND kind = $3 AND content = $4) LIMIT 1"];
    ATTEMPTS = ["SELECT count(*) FROM outbox_attempts WHERE project_id = $1 AND outbox_id = $2"];
}

/// True if there is a row of this source key.
pub async fn is_known(conn: &mut Conn<'_>, project: ProjectId, source_key: &str) -> Result<bool> {
    Ok(run!(conn, KNOWN, [project, source_key], fetch_optional as (Uuid,))?.is_some())
}

/// [`Error::Conflict`] if the source key exists.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, o: &NewOutbox<'_>) -> Result<()> {
    run!(tx, INSERT, [project, o.id, o.conversation, o.out_seq, o.source_key, o.message,
        o.waiting.map(|(execution, _)| execution), o.waiting.map(|(_, effect)| effect), o.phone_number_id,
        o.payload, o.now, o.now + o.patience, lane(o.conversation), o.policy, o.not_before], execute).map(drop)
}

/// A claimed row.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub row: OutboxRow,
    /// The state before the claim. Only `queued` rows may be sent; others must be settled.
    pub was: OutboxState,
}

/// Claims the row if it is first in its conversation, unsettled and without an active lease, and the
/// project is not stopped. A `queued` one becomes `sending` with its next attempt.
pub async fn claim(tx: &mut Tx<'_>, due: DueOutbox, owner: &str, now: Timestamp) -> Result<Option<Claimed>> {
    let Some((was,)) = run!(tx, STATE_SEEN, [due.project_id, due.id, due.epoch], fetch_optional as (OutboxState,))? else { return Ok(None) };
    let row = run!(tx, CLAIM, [due.project_id, due.id, due.epoch, owner, LEASE, now, was], fetch_optional as OutboxRow)?;
    Ok(row.map(|row| Claimed { row, was }))
}

/// Takes an unsettled row from any worker that holds it, and locks it.
pub async fn seize(tx: &mut Tx<'_>, project: ProjectId, id: OutboxId) -> Result<Option<OutboxRow>> {
    run!(tx, SEIZE, [project, id], fetch_optional as OutboxRow)
}

/// Extends the lease of this epoch, unless it has expired.
pub async fn renew(tx: &mut Tx<'_>, project: ProjectId, id: OutboxId, epoch: i64) -> Result<bool> {
    Ok(run!(tx, RENEW, [project, id, epoch, LEASE], execute)? == 1)
}

/// Renews the lease of an attempt that this epoch began, even after it has expired. `false` if
/// another worker has reclaimed the row.
pub async fn hold_on(tx: &mut Tx<'_>, project: ProjectId, row: &OutboxRow) -> Result<bool> {
    Ok(run!(tx, HOLD_ON, [project, row.id, row.epoch, LEASE], execute)? == 1)
}

/// Must run in the transaction that claims the row.
pub async fn begin_attempt(tx: &mut Tx<'_>, project: ProjectId, row: &OutboxRow, token: &str, now: Timestamp) -> Result<()> {
    run!(tx, BEGIN_ATTEMPT, [project, row.id, row.attempt, row.epoch, token, now], execute).map(drop)
}

/// Records the result of the row's attempt, once.
pub async fn end_attempt(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<()> {
    let (outcome, detail) = (settlement.state(), settlement.error());
    run!(tx, END_ATTEMPT, [project, row.id, row.attempt, now, outcome, detail], execute).map(drop)
}

/// Sets the state under the row's epoch. [`Error::StaleEpoch`] if another worker reclaimed it or it
/// is settled.
pub async fn settle(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: OutboxId,
    epoch: i64,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<OutboxRow> {
    let (state, error, (next, wamid)) = (settlement.state(), settlement.error(), settlement.columns(now));
    run!(tx, SETTLE, [project, id, epoch, state, next, wamid, error, now], fetch_optional as OutboxRow)?
        .ok_or(Error::StaleEpoch)
}

/// Settles an entry as unconfirmed at any epoch: another installation may have sent it. `None` if
/// it is settled.
pub async fn quarantine(tx: &mut Tx<'_>, project: ProjectId, id: OutboxId, error: &str, now: Timestamp) -> Result<Option<OutboxRow>> {
    run!(tx, QUARANTINE, [project, id, error, now], fetch_optional as OutboxRow)
}

/// Fails the agents' queued sends of a conversation. Rows with a possibly open request stay.
pub async fn withdraw(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, error: &str, now: Timestamp) -> Result<Vec<OutboxRow>> {
    run!(tx, WITHDRAW, [project, conversation, error, now], fetch_all as OutboxRow)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: OutboxId) -> Result<Option<OutboxRow>> {
    run!(conn, FIND, [project, id], fetch_optional as OutboxRow)
}

/// Records the id that a status reported, and locks the row.
pub async fn note_wamid(tx: &mut Tx<'_>, project: ProjectId, id: OutboxId, wamid: &str, now: Timestamp) -> Result<Option<OutboxRow>> {
    // Mostly the attempt's own answer came first. What is accepted stays so: there is nothing to
    // write, nor to wait for.
    let row = find(tx, project, id).await?;
    if row.as_ref().is_none_or(|row| row.state == OutboxState::Accepted && row.wamid.is_some()) {
        return Ok(row);
    }
    run!(tx, NOTE_WAMID, [project, id, wamid, now], fetch_optional as OutboxRow)
}

/// Replaces the payload under the row's epoch. [`Error::StaleEpoch`] if another worker reclaimed
/// it.
pub async fn repack(tx: &mut Tx<'_>, project: ProjectId, row: &OutboxRow, payload: &str, now: Timestamp) -> Result<()> {
    match run!(tx, REPACK, [project, row.id, row.epoch, payload, now], execute)? {
        0 => Err(Error::StaleEpoch),
        _ => Ok(()),
    }
}

/// Delays a conversation's queued sends until this time.
pub async fn hold(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, until: Timestamp) -> Result<()> {
    run!(tx, HOLD, [project, conversation, until], execute).map(drop)
}

/// Makes a conversation's queued sends without an attempt due now.
pub async fn let_go(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, LET_GO, [project, conversation, now], execute).map(drop)
}

/// True if a message is still to be sent, or its delivery is still unknown.
pub async fn is_on_its_way(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    message: MessageId,
) -> Result<bool> {
    Ok(run!(conn, ON_ITS_WAY, [project, conversation, message], fetch_optional as (Uuid,))?.is_some())
}

/// True if a request with this content may have reached WhatsApp, and its id is not known yet.
pub async fn is_in_flight(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    kind: &str,
    content: &str,
) -> Result<bool> {
    Ok(run!(conn, IN_FLIGHT, [project, conversation, kind, content], fetch_optional as (Uuid,))?.is_some())
}

/// Number of attempts of a row.
pub async fn attempts(conn: &mut Conn<'_>, project: ProjectId, id: OutboxId) -> Result<i64> {
    Ok(run!(conn, ATTEMPTS, [project, id], fetch_one as (i64,))?.0)
}
