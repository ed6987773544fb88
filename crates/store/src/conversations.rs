//! Conversations: the row that is the single actor of everything that happens in one.
//!
//! It holds the sequence of its messages, when something is due, and who holds it: a lease with an epoch that every claim
//! raises. A write that carries an old epoch changes nothing (reliability.md §4).

use crate::{counters, unscoped::DueConversation, db::{Conn, Counter, Error, List, Result, Tx, Value, rows, run, statements}};
use domain::{Span, Timestamp, ids::{AgentId, ContactId, ConversationId, ExecutionId, ProjectId, UserId, WhatsappConfigId}};
use uuid::Uuid;

/// How long a claim lasts unless it is renewed.
pub const LEASE: Span = Span::from_secs(10);

rows! {
    /// A stored conversation.
    #[derive(Debug, Clone)]
    pub struct ConversationRow {
        pub id: ConversationId,
        /// The business number.
        pub phone_number_id: String,
        /// The person.
        pub contact_id: ContactId,
        /// The project's config; none in the sandbox.
        pub whatsapp_config_id: Option<Uuid>,
        /// `+` and digits; none where the person hides the number.
        pub phone_number: Option<String>,
        /// The name on the profile.
        pub contact_name: Option<String>,
        /// The agent that answers new messages, if any.
        pub agent_id: Option<Uuid>,
        /// The latest execution, live or over.
        pub execution_id: Option<Uuid>,
        /// The person who has taken it over: no agent says anything in it.
        pub assignee_id: Option<Uuid>,
        /// `active` or `ended`.
        pub status: String,
        /// The highest sequence number given so far.
        pub next_seq: i64,
        /// When something is due.
        pub due_at: Option<i64>,
        /// When the first message of the waiting burst came.
        pub burst_started_at: Option<i64>,
        /// Raised by each claim.
        pub epoch: i64,
        /// Meta's time of the latest inbound message; opens the service window.
        pub last_inbound_at: Option<i64>,
        /// When anything was last said.
        pub last_active_at: Timestamp,
    }
}

rows! {
    /// The places of a message that is to be sent.
    #[derive(Debug, Clone, Copy)]
    pub struct NextOut {
        /// In the order of messages.
        pub next_seq: i64,
        /// In the order of sends.
        pub next_out_seq: i64,
        /// Until when sends wait for an earlier file.
        pub send_after: Option<i64>,
    }
}

impl ConversationRow {
    /// The agent that answers new messages.
    pub fn agent(&self) -> Option<AgentId> {
        self.agent_id.map(AgentId::from_uuid)
    }
    /// The latest execution.
    pub fn execution(&self) -> Option<ExecutionId> {
        self.execution_id.map(ExecutionId::from_uuid)
    }
    /// Whether a person has taken it over.
    pub const fn is_assigned(&self) -> bool {
        self.assignee_id.is_some()
    }
    /// The project's config.
    pub fn config(&self) -> Option<WhatsappConfigId> {
        self.whatsapp_config_id.map(WhatsappConfigId::from_uuid)
    }
}

/// The conversation that a message belongs to, as [`touch`] finds or makes it.
#[derive(Debug, Clone)]
pub struct Touch<'a> {
    /// The id if it has to be made.
    pub new_id: ConversationId,
    /// The business number.
    pub phone_number_id: &'a str,
    /// The person.
    pub contact: ContactId,
    /// The project's config; none in the sandbox.
    pub config: Option<WhatsappConfigId>,
    /// `+` and digits.
    pub phone_number: Option<&'a str>,
    /// The name on the profile.
    pub contact_name: Option<&'a str>,
    /// The agent that shall answer from now on, or that none shall; `None` leaves it as it is.
    pub agent: Option<Option<AgentId>>,
    /// Meta's time of an inbound message; `None` when it is not one.
    pub inbound_at: Option<Timestamp>,
    pub now: Timestamp,
}

/// Which conversations a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<String>,
    /// Active at or after.
    pub active_from: Option<Timestamp>,
    /// Active at or before.
    pub active_to: Option<Timestamp>,
    /// Exact number, `+` and digits.
    pub phone_number: Option<String>,
}

/// What a turn leaves in its conversation's row.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// The execution that is now the latest.
    pub execution: Option<ExecutionId>,
    /// When something is due again.
    pub due_at: Option<Timestamp>,
    /// Keep the lease: the turn goes on with an effect.
    pub keep: bool,
}

statements! {
    TOUCH = ["INSERT INTO conversations (project_id, id, phone_number_id, contact_id, whatsapp_config_id, phone_number, contact_name, \
              agent_id, status, next_seq, next_out_seq, lease_until, epoch, lane, last_inbound_at, last_active_at, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', 1, 0, 0, 0, $9, $10, $11, $11, $11) \
              ON CONFLICT (project_id, phone_number_id, contact_id) WHERE status = 'active' DO UPDATE SET \
              next_seq = conversations.next_seq + 1, agent_id = CASE WHEN $12 THEN excluded.agent_id ELSE conversations.agent_id END, \
              contact_name = COALESCE(excluded.contact_name, conversations.contact_name), \
              last_inbound_at = CASE WHEN excluded.last_inbound_at > COALESCE(conversations.last_inbound_at, 0) \
                  THEN excluded.last_inbound_at ELSE conversations.last_inbound_at END, \
              last_active_at = excluded.last_active_at, updated_at = excluded.updated_at \
              RETURNING ", ConversationRow];
    // Apart: it is told once and stands in an index, which `TOUCH` would rewrite with each message.
    TELL_NUMBER = ["UPDATE conversations SET phone_number = $3 WHERE project_id = $1 AND id = $2"];
    NEXT_SEQ = ["UPDATE conversations SET next_seq = next_seq + 1, last_active_at = $3, updated_at = $3 \
                 WHERE project_id = $1 AND id = $2 \
                 RETURNING ", ConversationRow];
    LOCK = ["UPDATE conversations SET next_seq = next_seq + 1, updated_at = $3 WHERE project_id = $1 AND id = $2 \
             RETURNING ", ConversationRow];
    FIND = ["SELECT ", ConversationRow, " FROM conversations WHERE project_id = $1 AND id = $2"];
    CLAIM = ["UPDATE conversations SET epoch = epoch + 1, due_at = 0, burst_started_at = NULL, lease_owner = $4, \
              lease_until = ", db_now, " + $5 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until < ", db_now, " \
              RETURNING ", ConversationRow];
    CLAIM_IF_FREE = ["UPDATE conversations SET epoch = epoch + 1, lease_owner = $3, lease_until = ", db_now, " + $4 \
                      WHERE project_id = $1 AND id = $2 AND lease_until < ", db_now, " \
                      RETURNING ", ConversationRow];
    HELD = ["UPDATE conversations SET updated_at = $4 WHERE project_id = $1 AND id = $2 AND epoch = $3 \
             RETURNING ", ConversationRow];
    RELEASE = ["UPDATE conversations SET execution_id = $4, due_at = $5, burst_started_at = NULL, lease_owner = NULL, lease_until = 0 \
                WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    KEEP = ["UPDATE conversations SET execution_id = $4, due_at = $5, burst_started_at = NULL \
             WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    RENEW = ["UPDATE conversations SET lease_until = ", db_now, " + $4 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until > ", db_now];
    POSTPONE = ["UPDATE conversations SET due_at = $4, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    WAKE = ["UPDATE conversations SET due_at = $3, burst_started_at = $4 WHERE project_id = $1 AND id = $2"];
    NEXT_OUT = ["UPDATE conversations SET next_seq = next_seq + 1, next_out_seq = next_out_seq + 1, last_active_at = $3, updated_at = $3 \
                 WHERE project_id = $1 AND id = $2 RETURNING ", NextOut];
    HOLD_SENDS = ["UPDATE conversations SET send_after = $3 WHERE project_id = $1 AND id = $2"];
    LET_SEND = ["UPDATE conversations SET send_after = NULL WHERE project_id = $1 AND id = $2 AND send_after IS NOT NULL"];
    LAST_INBOUND = ["SELECT max(last_inbound_at) FROM conversations WHERE project_id = $1 AND contact_id = $2 AND phone_number_id = $3"];
    OPEN_ON = ["SELECT id FROM conversations WHERE project_id = $1 AND phone_number_id = $2 AND status = 'active' \
                AND whatsapp_config_id = $3 ORDER BY id LIMIT $4"];
    END = ["UPDATE conversations SET status = 'ended', agent_id = NULL, assignee_id = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2"];
    REOPEN = ["UPDATE conversations SET status = 'active', updated_at = $3 WHERE project_id = $1 AND id = $2"];
    ASSIGN = ["UPDATE conversations SET assignee_id = $3 WHERE project_id = $1 AND id = $2"];
    DROP_AGENT = ["UPDATE conversations SET agent_id = NULL WHERE project_id = $1 AND phone_number_id = $2 AND status = 'active' \
                   AND whatsapp_config_id = $3 AND agent_id = $4"];
}

/// Conversations of tests have no number and are in no list.
pub(crate) const LIST: List<1, 4> = List {
    columns: ConversationRow::COLUMNS,
    from: "conversations WHERE project_id = $1 AND phone_number_id <> ''",
    filters: ["status = ?", "last_active_at >= ?", "last_active_at <= ?", "phone_number = ?"],
    order: "last_active_at DESC, id DESC",
};

/// Finds the open conversation of a person with a number, or makes it, and takes its next sequence number. The row is
/// locked until the transaction ends, so whatever else writes to it comes after.
pub async fn touch(tx: &mut Tx<'_>, project: ProjectId, t: &Touch<'_>) -> Result<ConversationRow> {
    let mut row = run!(tx, TOUCH, [project, t.new_id, t.phone_number_id, t.contact, t.config, t.phone_number, t.contact_name,
        t.agent.flatten(), lane(t.new_id), t.inbound_at, t.now, t.agent.is_some()], fetch_one as ConversationRow)?;
    // The first sequence number is that of a conversation that was not there before.
    if row.next_seq == 1 && !row.phone_number_id.is_empty() {
        counters::add(tx, project, Counter::Conversations, t.new_id.uuid(), 1);
    }
    if t.phone_number.is_some() && row.phone_number.as_deref() != t.phone_number {
        run!(tx, TELL_NUMBER, [project, row.id, t.phone_number], execute)?;
        row.phone_number = t.phone_number.map(str::to_owned);
    }
    Ok(row)
}

/// Takes the next sequence number of a known conversation and locks its row.
pub async fn next_seq(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<ConversationRow>> {
    run!(tx, NEXT_SEQ, [project, id, now], fetch_optional as ConversationRow)
}

/// Takes the next sequence number and locks the row, for a change that is nothing said.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<ConversationRow>> {
    run!(tx, LOCK, [project, id, now], fetch_optional as ConversationRow)
}

/// The conversation of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ConversationId) -> Result<Option<ConversationRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ConversationRow)
}

/// Takes the conversation if its epoch is still the one seen and nobody holds it; the answer carries the new epoch. It is
/// due at once from now on, for whoever takes it over from a holder that dies.
pub async fn claim(tx: &mut Tx<'_>, due: DueConversation, owner: &str) -> Result<Option<ConversationRow>> {
    run!(tx, CLAIM, [due.project_id, due.id, due.epoch, owner, LEASE], fetch_optional as ConversationRow)
}

/// Takes the conversation if nobody holds it, whatever its epoch: for a change that belongs to it in the same transaction.
pub async fn claim_if_free(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ConversationId,
    owner: &str,
) -> Result<Option<ConversationRow>> {
    run!(tx, CLAIM_IF_FREE, [project, id, owner, LEASE], fetch_optional as ConversationRow)
}

/// The conversation, provided that this epoch still holds it; locks its row.
pub async fn held(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, now: Timestamp) -> Result<ConversationRow> {
    run!(tx, HELD, [project, id, epoch, now], fetch_optional as ConversationRow)?.ok_or(Error::StaleEpoch)
}

/// Writes what a step leaves in the row, under its epoch.
pub async fn release(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, release: Release) -> Result<()> {
    let sql = if release.keep { KEEP } else { RELEASE };
    match run!(tx, sql, [project, id, epoch, release.execution, release.due_at], execute)? {
        0 => Err(Error::StaleEpoch),
        _ => Ok(()),
    }
}

/// Extends the lease that this epoch holds. One that has run out is not brought back.
pub async fn renew(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64) -> Result<bool> {
    Ok(run!(tx, RENEW, [project, id, epoch, LEASE], execute)? == 1)
}

/// Gives up what this epoch could not do until `at`, so that it stands in nobody's way.
pub async fn postpone(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, at: Timestamp) -> Result<()> {
    run!(tx, POSTPONE, [project, id, epoch, at], execute).map(drop)
}

/// Makes something due at `at`. A burst's first message sets `burst_started_at`, the next ones keep it.
pub async fn wake(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, at: Timestamp, burst_started_at: Option<i64>) -> Result<()> {
    run!(tx, WAKE, [project, id, at, burst_started_at], execute).map(drop)
}

/// Takes the next place in the order of messages and the next one in that of sends, and locks the row.
pub async fn next_out(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<NextOut>> {
    run!(tx, NEXT_OUT, [project, id, now], fetch_optional as NextOut)
}

/// Lets the next sends wait until this time.
pub async fn hold_sends(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, until: Timestamp) -> Result<()> {
    run!(tx, HOLD_SENDS, [project, id, until], execute).map(drop)
}

/// The next sends need not wait any more. Whether they did.
pub async fn let_send(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId) -> Result<bool> {
    Ok(run!(tx, LET_SEND, [project, id], execute)? == 1)
}

/// When a person last wrote to a number, in whatever conversation.
pub async fn last_inbound(
    conn: &mut Conn<'_>,
    project: ProjectId,
    contact: ContactId,
    phone_number_id: &str,
) -> Result<Option<Timestamp>> {
    let (at,) = run!(conn, LAST_INBOUND, [project, contact, phone_number_id], fetch_one as (Option<Timestamp>,))?;
    Ok(at)
}

/// The open conversations of a config, or so many of them.
pub async fn open_on(
    conn: &mut Conn<'_>,
    project: ProjectId,
    number: (&str, WhatsappConfigId),
    limit: i64,
) -> Result<Vec<ConversationId>> {
    let rows = run!(conn, OPEN_ON, [project, number.0, number.1, limit], fetch_all as (ConversationId,))?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ends a conversation, whoever holds it: it is nobody's, and the next message of the person opens another one.
pub async fn end(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, END, [project, id, now], execute).map(drop)
}

/// Opens an ended conversation again. [`Error::Conflict`] where the person has another open one on the number.
pub async fn reopen(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, REOPEN, [project, id, now], execute).map(drop)
}

/// Gives a conversation to a person, or back. Call it with the row locked.
pub async fn assign(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, to: Option<UserId>) -> Result<()> {
    run!(tx, ASSIGN, [project, id, to], execute).map(drop)
}

/// The agent answers no new messages in the open conversations of a config.
pub async fn drop_agent(tx: &mut Tx<'_>, project: ProjectId, number: (&str, WhatsappConfigId), agent: AgentId) -> Result<()> {
    run!(tx, DROP_AGENT, [project, number.0, number.1, agent], execute).map(drop)
}

/// A page of conversations, latest activity first, and the number of all that match.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<ConversationRow>, i64)> {
    let query = LIST.query([project.into()], [
        f.status.as_deref().map(Value::from),
        f.active_from.map(Value::from),
        f.active_to.map(Value::from),
        f.phone_number.as_deref().map(Value::from),
    ]);
    counters::page(conn, (project, Counter::Conversations), &query, (limit, offset)).await
}

/// A hint that keeps two nodes off the same rows; in no key.
pub(crate) fn lane(id: ConversationId) -> i64 {
    i64::from(id.uuid().as_bytes()[15])
}
