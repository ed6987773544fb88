//! Deliveries of outgoing webhooks, and every attempt at one.
//!
//! A delivery is written in the transaction of its event, claimed under a lease, and settled under
//! the claim's epoch. A worker that dies leaves a lease that expires, and the delivery is repeated
//! with the same id.

use crate::{projects::Stopped, db::{Conn, Error, Result, Scope, Tx, rows, run, statements, stored_words}};
use domain::{
    Span, Timestamp,
    hook::{DeliveryState, HookEvent},
    ids::{ConversationId, HookDeliveryId, HookEndpointId, HookEventId, ProjectId},
};

/// Length of a claim. An attempt takes 10 s at most.
pub const LEASE: Span = Span::from_secs(30);

stored_words!(DeliveryState);

rows! {
    #[derive(Debug, Clone)]
    pub struct HookDeliveryRow {
        pub id: HookDeliveryId,
        pub endpoint_id: HookEndpointId,
        /// The event, or the first one of a batch.
        pub event_id: HookEventId,
        pub name: HookEvent,
        pub conversation_id: Option<ConversationId>,
        /// Events of a batch; 0 for a delivery without a batch.
        pub batch: i64,
        pub state: DeliveryState,
        /// Attempts made.
        pub attempt: i64,
        /// Attempts since the event or the latest replay.
        pub tries: i64,
        pub next_at: Timestamp,
        /// Fencing token, raised by each claim.
        pub epoch: i64,
        pub last_status: Option<i64>,
        pub last_error: Option<String>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// One attempt at a delivery.
    #[derive(Debug, Clone)]
    pub struct HookAttemptRow {
        pub attempt: i64,
        pub at: Timestamp,
        pub duration_ms: i64,
        /// HTTP status; none without an answer.
        pub status: Option<i64>,
        /// Why it failed.
        pub error: Option<String>,
        /// The start of the answer's body.
        pub answer: Option<String>,
    }
}

rows! {
    /// An unclaimed delivery.
    #[derive(Debug, Clone, Copy)]
    pub struct DueDelivery {
        pub id: HookDeliveryId,
        pub epoch: i64,
    }
}

#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: HookDeliveryId,
    pub endpoint: HookEndpointId,
    pub event: HookEventId,
    pub name: HookEvent,
    pub conversation: Option<ConversationId>,
    /// 1 for the first event of a batch, else 0.
    pub batch: i64,
    pub state: DeliveryState,
    pub next_at: Timestamp,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page {
    pub endpoint: Option<HookEndpointId>,
    pub state: Option<DeliveryState>,
    /// Only deliveries before this one.
    pub before: Option<HookDeliveryId>,
    pub limit: i64,
}

statements! {
    INSERT = ["INSERT INTO hook_deliveries (project_id, id, endpoint_id, event_id, name, conversation_id, batch, state, attempt, tries, \
               next_at, place, lease_until, epoch, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, 0, 0, $11, $11)"];
    LAST_PLACE = ["SELECT max(place) FROM hook_deliveries WHERE project_id = $1 AND endpoint_id = $2 AND conversation_id = $3 AND place > 0"];
    GROW = ["UPDATE hook_deliveries SET batch = batch + 1, state = CASE WHEN batch + 1 >= $4 THEN 'pending' ELSE state END, \
             next_at = CASE WHEN batch + 1 >= $4 THEN $5 ELSE next_at END, updated_at = $5 \
             WHERE project_id = $1 AND endpoint_id = $2 AND conversation_id = $3 AND state = 'open' RETURNING ", HookDeliveryRow];
    DUE = ["SELECT ", DueDelivery, " FROM hook_deliveries d WHERE project_id = $1 AND endpoint_id = $2 AND next_at <= $3 \
            AND state IN ('open', 'pending') AND lease_until < ", db_now, " AND (place = 0 OR NOT EXISTS (SELECT 1 FROM hook_deliveries e \
            WHERE e.project_id = $1 AND e.endpoint_id = d.endpoint_id AND e.conversation_id = d.conversation_id AND e.place < d.place \
            AND e.place > 0 AND e.state IN ('open', 'pending'))) ORDER BY next_at LIMIT $4"];
    CLAIM = ["UPDATE hook_deliveries SET epoch = epoch + 1, attempt = attempt + 1, tries = tries + 1, state = 'pending', \
              lease_owner = $4, lease_until = ", db_now, " + $5 WHERE project_id = $1 AND id = $2 AND epoch = $3 \
              AND lease_until < ", db_now, " AND state IN ('open', 'pending') \
              AND NOT EXISTS (SELECT 1 FROM projects WHERE id = $1 AND (", Stopped, ")) RETURNING ", HookDeliveryRow];
    SETTLE = ["UPDATE hook_deliveries SET state = $4, next_at = $5, last_status = $6, last_error = $7, lease_owner = NULL, \
               lease_until = 0, updated_at = $8 WHERE project_id = $1 AND id = $2 AND epoch = $3 AND state = 'pending'"];
    RELEASE = ["UPDATE hook_deliveries SET epoch = epoch + 1, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2"];
    GIVE_UP = ["UPDATE hook_deliveries SET epoch = epoch + 1, state = 'failed', last_error = $3, lease_owner = NULL, lease_until = 0, \
                updated_at = $4 WHERE project_id = $1 AND id = $2 AND state IN ('open', 'pending')"];
    NOTE_ATTEMPT = ["INSERT INTO hook_attempts (project_id, delivery_id, attempt, at, duration_ms, status, error, answer) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    FIND = ["SELECT ", HookDeliveryRow, " FROM hook_deliveries WHERE project_id = $1 AND id = $2"];
    ATTEMPTS = ["SELECT ", HookAttemptRow, " FROM hook_attempts WHERE project_id = $1 AND delivery_id = $2 ORDER BY attempt LIMIT 100"];
    OF_PROJECT = ["SELECT ", HookDeliveryRow, " FROM hook_deliveries WHERE project_id = $1 AND id < $2 AND (state = $3 OR $3 IS NULL) \
            ORDER BY id DESC LIMIT $4"];
    FAILED_OF_PROJECT = ["SELECT ", HookDeliveryRow, " FROM hook_deliveries WHERE project_id = $1 AND id < $2 AND state = 'failed' \
                   ORDER BY id DESC LIMIT $3"];
    OF_ENDPOINT = ["SELECT ", HookDeliveryRow, " FROM hook_deliveries WHERE project_id = $1 AND endpoint_id = $2 AND id < $3 \
                    AND (state = $4 OR $4 IS NULL) ORDER BY id DESC LIMIT $5"];
    REPLAY = ["UPDATE hook_deliveries SET state = 'pending', tries = 0, next_at = $3, epoch = epoch + 1, lease_owner = NULL, \
               lease_until = 0, updated_at = $3 WHERE project_id = $1 AND id = $2 \
               RETURNING ", HookDeliveryRow];
    FAILED_IDS = ["SELECT id FROM hook_deliveries WHERE project_id = $1 AND state = 'failed' AND (endpoint_id = $2 OR $2 IS NULL) \
                   AND created_at >= $3 AND created_at <= $4 ORDER BY id LIMIT $5"];
    SWEEP_ATTEMPTS = ["DELETE FROM hook_attempts WHERE project_id = $1 AND delivery_id = $2"];
    SWEEP_BATCH = ["DELETE FROM hook_batches WHERE project_id = $1 AND delivery_id = $2"];
    SWEEP = ["DELETE FROM hook_deliveries WHERE project_id = $1 AND id IN \
              (SELECT id FROM hook_deliveries WHERE project_id = $1 AND id < $2 ORDER BY id LIMIT $3) RETURNING id, batch"];
    SWEEP_EVENTS = ["DELETE FROM hook_events WHERE project_id = $1 AND id IN \
                     (SELECT id FROM hook_events WHERE project_id = $1 AND id < $2 ORDER BY id LIMIT $3)"];
}

/// Stores a delivery. `ordered` gives it the next place in its conversation.
pub async fn insert(s: &mut Scope<'_, '_>, d: &NewDelivery, ordered: bool) -> Result<()> {
    let (project, now) = (s.project, s.now);
    let place = match d.conversation.filter(|_| ordered) {
        Some(conversation) => {
            let (last,) = run!(s, LAST_PLACE, [project, d.endpoint, conversation], fetch_one as (Option<i64>,))?;
            last.unwrap_or(0) + 1
        }
        None => 0,
    };
    run!(s, INSERT, [project, d.id, d.endpoint, d.event, d.name, d.conversation, d.batch, d.state, d.next_at, place, now], execute).map(drop)
}

/// Adds an event to the conversation's open batch, and closes a batch of `most` events. `None`
/// without an open batch.
pub async fn grow(
    s: &mut Scope<'_, '_>,
    endpoint: HookEndpointId,
    conversation: ConversationId,
    most: i64,
) -> Result<Option<HookDeliveryRow>> {
    let (project, now) = (s.project, s.now);
    run!(s, GROW, [project, endpoint, conversation, most, now], fetch_optional as HookDeliveryRow)
}

/// Due deliveries of an endpoint without an active lease, oldest first. With an order, only the
/// first one of each conversation.
pub async fn due(
    conn: &mut Conn<'_>,
    project: ProjectId,
    endpoint: HookEndpointId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    run!(conn, DUE, [project, endpoint, now, limit], fetch_all as DueDelivery)
}

/// Claims a delivery that was seen as due, counts the attempt, and closes a batch. `None` if another
/// worker was faster.
pub async fn claim(tx: &mut Tx<'_>, project: ProjectId, due: DueDelivery, owner: &str) -> Result<Option<HookDeliveryRow>> {
    run!(tx, CLAIM, [project, due.id, due.epoch, owner, LEASE], fetch_optional as HookDeliveryRow)
}

/// The state of a delivery after an attempt.
#[derive(Debug, Clone)]
pub struct Settled {
    pub state: DeliveryState,
    pub next_at: Timestamp,
    pub attempt: HookAttemptRow,
}

/// Records an attempt and its result under the epoch of its claim. [`Error::StaleEpoch`] if another
/// worker reclaimed it.
pub async fn settle(s: &mut Scope<'_, '_>, row: &HookDeliveryRow, settled: &Settled) -> Result<()> {
    let (project, now, a) = (s.project, s.now, &settled.attempt);
    let changed = run!(s, SETTLE, [project, row.id, row.epoch, settled.state, settled.next_at, a.status, a.error, now], execute)?;
    if changed == 0 {
        return Err(Error::StaleEpoch);
    }
    run!(s, NOTE_ATTEMPT, [project, row.id, row.attempt, a.at, a.duration_ms, a.status, a.error, a.answer], execute).map(drop)
}

/// Ends the lease of a delivery: another worker may claim it at once.
pub async fn release(tx: &mut Tx<'_>, project: ProjectId, id: HookDeliveryId) -> Result<()> {
    run!(tx, RELEASE, [project, id], execute).map(drop)
}

/// Fails a delivery for good, at any epoch.
pub async fn give_up(s: &mut Scope<'_, '_>, id: HookDeliveryId, error: &str) -> Result<()> {
    let (project, now) = (s.project, s.now);
    run!(s, GIVE_UP, [project, id, error, now], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: HookDeliveryId) -> Result<Option<HookDeliveryRow>> {
    run!(conn, FIND, [project, id], fetch_optional as HookDeliveryRow)
}

/// Attempts at a delivery, oldest first.
pub async fn attempts(conn: &mut Conn<'_>, project: ProjectId, id: HookDeliveryId) -> Result<Vec<HookAttemptRow>> {
    run!(conn, ATTEMPTS, [project, id], fetch_all as HookAttemptRow)
}

/// A page of the log, newest first.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, p: Page) -> Result<Vec<HookDeliveryRow>> {
    let before = p.before.map_or(uuid::Uuid::max(), |id| id.uuid());
    match (p.endpoint, p.state) {
        (Some(endpoint), state) => {
            run!(conn, OF_ENDPOINT, [project, endpoint, before, state, p.limit], fetch_all as HookDeliveryRow)
        }
        (None, Some(DeliveryState::Failed)) => run!(conn, FAILED_OF_PROJECT, [project, before, p.limit], fetch_all as HookDeliveryRow),
        (None, state) => run!(conn, OF_PROJECT, [project, before, state, p.limit], fetch_all as HookDeliveryRow),
    }
}

/// Makes a delivery due now, from the start of the schedule. An attempt that is open may be repeated.
pub async fn replay(s: &mut Scope<'_, '_>, id: HookDeliveryId) -> Result<Option<HookDeliveryRow>> {
    let (project, now) = (s.project, s.now);
    run!(s, REPLAY, [project, id, now], fetch_optional as HookDeliveryRow)
}

/// Failed deliveries of a time, oldest first.
pub async fn failed(
    conn: &mut Conn<'_>,
    project: ProjectId,
    endpoint: Option<HookEndpointId>,
    (from, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<HookDeliveryId>> {
    let rows = run!(conn, FAILED_IDS, [project, endpoint, from, to, limit], fetch_all as (HookDeliveryId,))?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Deletes at most `limit` deliveries and events whose ids, which begin with their time, precede
/// `before`. Returns the number of deliveries and events.
pub async fn sweep(tx: &mut Tx<'_>, project: ProjectId, before: HookDeliveryId, limit: i64) -> Result<u64> {
    let gone = run!(tx, SWEEP, [project, before, limit], fetch_all as (HookDeliveryId, i64))?;
    for (id, batch) in &gone {
        run!(tx, SWEEP_ATTEMPTS, [project, id], execute)?;
        if *batch > 0 {
            run!(tx, SWEEP_BATCH, [project, id], execute)?;
        }
    }
    let events = run!(tx, SWEEP_EVENTS, [project, before.uuid(), limit], execute)?;
    Ok(gone.len() as u64 + events)
}
