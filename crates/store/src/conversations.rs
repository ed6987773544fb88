//! Conversations: the row that serialises all changes in a conversation.
//!
//! It holds the sequence numbers, the due time and the lease, whose epoch every claim raises. A
//! write with an old epoch changes nothing (docs/spec/reliability.md 4).

use crate::{counters, projects::Stopped, unscoped::DueConversation, whatsapp_configs::WhatsappConfigRow, db::{Conn, Counter, Error, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{Span, Timestamp, conversation::ConversationStatus, ids::{AgentId, ContactId, ConversationId, ExecutionId, ProjectId, UserId, WhatsappConfigId}};

/// Length of a claim without renewal.
pub const LEASE: Span = Span::from_secs(10);

stored_words!(ConversationStatus);

rows! {
    #[derive(Debug, Clone)]
    pub struct ConversationRow {
        pub id: ConversationId,
        pub phone_number_id: String,
        pub contact_id: ContactId,
        /// None in the sandbox.
        pub whatsapp_config_id: Option<WhatsappConfigId>,
        /// `+` and digits; none if the contact hides the number.
        pub phone_number: Option<String>,
        pub contact_name: Option<String>,
        /// Answers new messages.
        pub agent_id: Option<AgentId>,
        /// The latest execution, active or over.
        pub execution_id: Option<ExecutionId>,
        /// The person who has taken the conversation over; the agent is silent.
        pub assignee_id: Option<UserId>,
        /// End of the agent's pause after a reply on the shop's phone. An end in the past stays until
        /// the agent continues.
        pub agent_paused_until: Option<Timestamp>,
        pub status: ConversationStatus,
        /// The highest sequence number so far.
        pub next_seq: i64,
        pub due_at: Option<Timestamp>,
        /// Time of the first message of the waiting burst.
        pub burst_started_at: Option<Timestamp>,
        /// Fencing token, raised by each claim.
        pub epoch: i64,
        /// Meta's time of the latest inbound message; opens the service window.
        pub last_inbound_at: Option<Timestamp>,
        /// Time of the latest message.
        pub last_active_at: Timestamp,
    }
}

rows! {
    /// The places of the next message to be sent.
    #[derive(Debug, Clone, Copy)]
    pub struct NextOut {
        /// In the order of messages.
        pub next_seq: i64,
        /// In the order of sends.
        pub next_out_seq: i64,
        /// Sends wait until this time for an earlier file.
        pub send_after: Option<Timestamp>,
    }
}

impl ConversationRow {
    /// True if a person has taken the conversation over.
    pub const fn is_assigned(&self) -> bool {
        self.assignee_id.is_some()
    }

    /// True while the agent is silent: a person has taken the conversation over, or has replied on
    /// the shop's phone.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.is_assigned() || self.agent_paused_until.is_some_and(|until| until > now)
    }
}

/// Input of [`touch`].
#[derive(Debug, Clone)]
pub struct Touch<'a> {
    /// Used if the conversation is created.
    pub new_id: ConversationId,
    pub phone_number_id: &'a str,
    pub contact: ContactId,
    /// None in the sandbox.
    pub config: Option<WhatsappConfigId>,
    /// `+` and digits.
    pub phone_number: Option<&'a str>,
    pub contact_name: Option<&'a str>,
    /// The agent from now on, or none; `None` keeps the present one.
    pub agent: Option<Option<AgentId>>,
    /// Meta's time of an inbound message.
    pub inbound_at: Option<Timestamp>,
    pub now: Timestamp,
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<String>,
    pub active_from: Option<Timestamp>,
    pub active_to: Option<Timestamp>,
    /// `+` and digits.
    pub phone_number: Option<String>,
}

/// The conversation's row after a turn.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    pub execution: Option<ExecutionId>,
    pub due_at: Option<Timestamp>,
    /// Keep the lease: the turn continues with an effect.
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
    // Apart from `TOUCH`, which would rewrite the column's index with each message.
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
              AND NOT EXISTS (SELECT 1 FROM projects WHERE id = $1 AND (", Stopped, ")) \
              RETURNING ", ConversationRow];
    CLAIM_IF_FREE = ["UPDATE conversations SET epoch = epoch + 1, lease_owner = $3, lease_until = ", db_now, " + $4 \
                      WHERE project_id = $1 AND id = $2 AND lease_until < ", db_now, " \
                      AND NOT EXISTS (SELECT 1 FROM projects WHERE id = $1 AND (", Stopped, ")) \
                      RETURNING ", ConversationRow];
    SEIZE = ["UPDATE conversations SET epoch = epoch + 1, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 \
              RETURNING ", ConversationRow];
    HELD = ["UPDATE conversations SET updated_at = $4 WHERE project_id = $1 AND id = $2 AND epoch = $3 \
             AND NOT EXISTS (SELECT 1 FROM projects WHERE id = $1 AND deleted_at IS NOT NULL) \
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
    END = ["UPDATE conversations SET status = 'ended', agent_id = NULL, assignee_id = NULL, agent_paused_until = NULL, \
           updated_at = $3 WHERE project_id = $1 AND id = $2"];
    REOPEN = ["UPDATE conversations SET status = 'active', updated_at = $3 WHERE project_id = $1 AND id = $2"];
    ASSIGN = ["UPDATE conversations SET assignee_id = $3, agent_paused_until = NULL WHERE project_id = $1 AND id = $2"];
    NAME = ["UPDATE conversations SET contact_name = $4 WHERE project_id = $1 AND phone_number_id = $2 AND contact_id = $3 \
             AND status = 'active' AND contact_name IS NULL"];
    PAUSE_AGENT = ["UPDATE conversations SET agent_paused_until = $3 WHERE project_id = $1 AND id = $2"];
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

/// Finds or creates the open conversation of a contact with a number, and takes its next sequence
/// number. The row is locked until the transaction ends.
pub async fn touch(tx: &mut Tx<'_>, project: ProjectId, t: &Touch<'_>) -> Result<ConversationRow> {
    let mut row = run!(tx, TOUCH, [project, t.new_id, t.phone_number_id, t.contact, t.config, t.phone_number, t.contact_name,
        t.agent.flatten(), lane(t.new_id), t.inbound_at, t.now, t.agent.is_some()], fetch_one as ConversationRow)?;
    // The first sequence number: the conversation is new.
    if row.next_seq == 1 && !row.phone_number_id.is_empty() {
        counters::add(tx, project, Counter::Conversations, t.new_id.uuid(), 1);
    }
    if t.phone_number.is_some() && row.phone_number.as_deref() != t.phone_number {
        run!(tx, TELL_NUMBER, [project, row.id, t.phone_number], execute)?;
        row.phone_number = t.phone_number.map(str::to_owned);
    }
    Ok(row)
}

/// Takes the next sequence number and locks the row, for a message.
pub async fn next_seq(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<ConversationRow>> {
    run!(tx, NEXT_SEQ, [project, id, now], fetch_optional as ConversationRow)
}

/// Takes the next sequence number and locks the row, for a change other than a message.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<ConversationRow>> {
    run!(tx, LOCK, [project, id, now], fetch_optional as ConversationRow)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ConversationId) -> Result<Option<ConversationRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ConversationRow)
}

/// Claims the conversation if its epoch is unchanged, no lease is active and the project is not
/// stopped; returns the new epoch.
/// The row stays due, so that another worker reclaims it if this one dies.
pub async fn claim(tx: &mut Tx<'_>, due: DueConversation, owner: &str) -> Result<Option<ConversationRow>> {
    run!(tx, CLAIM, [due.project_id, due.id, due.epoch, owner, LEASE], fetch_optional as ConversationRow)
}

/// Claims the conversation if no lease is active and the project is not stopped, at any epoch.
pub async fn claim_if_free(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ConversationId,
    owner: &str,
) -> Result<Option<ConversationRow>> {
    run!(tx, CLAIM_IF_FREE, [project, id, owner, LEASE], fetch_optional as ConversationRow)
}

/// Takes the conversation from any worker that holds it, and locks the row.
pub async fn seize(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId) -> Result<Option<ConversationRow>> {
    run!(tx, SEIZE, [project, id], fetch_optional as ConversationRow)
}

/// Locks the row. [`Error::StaleEpoch`] if this epoch has lost its claim, or the project is being
/// deleted.
pub async fn held(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, now: Timestamp) -> Result<ConversationRow> {
    run!(tx, HELD, [project, id, epoch, now], fetch_optional as ConversationRow)?.ok_or(Error::StaleEpoch)
}

/// Writes the row after a step, under its epoch.
pub async fn release(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, release: Release) -> Result<()> {
    let sql = if release.keep { KEEP } else { RELEASE };
    match run!(tx, sql, [project, id, epoch, release.execution, release.due_at], execute)? {
        0 => Err(Error::StaleEpoch),
        _ => Ok(()),
    }
}

/// Extends the lease of this epoch, unless it has expired.
pub async fn renew(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64) -> Result<bool> {
    Ok(run!(tx, RENEW, [project, id, epoch, LEASE], execute)? == 1)
}

/// Releases the claim and makes the conversation due at `at`, so that it does not block others.
pub async fn postpone(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, epoch: i64, at: Timestamp) -> Result<()> {
    run!(tx, POSTPONE, [project, id, epoch, at], execute).map(drop)
}

/// Makes the conversation due at `at`. A burst's first message sets `burst_started_at`, the next
/// ones keep it.
pub async fn wake(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, at: Timestamp, burst_started_at: Option<Timestamp>) -> Result<()> {
    run!(tx, WAKE, [project, id, at, burst_started_at], execute).map(drop)
}

/// Takes the next sequence number and the next place in the order of sends, and locks the row.
pub async fn next_out(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<Option<NextOut>> {
    run!(tx, NEXT_OUT, [project, id, now], fetch_optional as NextOut)
}

/// Delays the next sends until this time.
pub async fn hold_sends(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, until: Timestamp) -> Result<()> {
    run!(tx, HOLD_SENDS, [project, id, until], execute).map(drop)
}

/// Ends the delay of the next sends. `false` if there was none.
pub async fn let_send(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId) -> Result<bool> {
    Ok(run!(tx, LET_SEND, [project, id], execute)? == 1)
}

/// Time of the contact's latest message to a number, in any conversation.
pub async fn last_inbound(
    conn: &mut Conn<'_>,
    project: ProjectId,
    contact: ContactId,
    phone_number_id: &str,
) -> Result<Option<Timestamp>> {
    let (at,) = run!(conn, LAST_INBOUND, [project, contact, phone_number_id], fetch_one as (Option<Timestamp>,))?;
    Ok(at)
}

/// At most `limit` open conversations of a config.
pub async fn open_on(
    conn: &mut Conn<'_>,
    project: ProjectId,
    config: &WhatsappConfigRow,
    limit: i64,
) -> Result<Vec<ConversationId>> {
    let rows = run!(conn, OPEN_ON, [project, config.phone_number_id, config.id, limit], fetch_all as (ConversationId,))?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ends a conversation at any epoch and clears agent and assignee. The contact's next message opens
/// another one.
pub async fn end(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, END, [project, id, now], execute).map(drop)
}

/// Reopens an ended conversation. [`Error::Conflict`] if the contact has another open one on the
/// number.
pub async fn reopen(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, REOPEN, [project, id, now], execute).map(drop)
}

/// Sets or clears the assignee, and ends a pause of the agent. The row must be locked.
pub async fn assign(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, to: Option<UserId>) -> Result<()> {
    run!(tx, ASSIGN, [project, id, to], execute).map(drop)
}

/// Shows the contact's name in its open conversation with a number, if that has none.
pub async fn name(tx: &mut Tx<'_>, project: ProjectId, phone_number_id: &str, contact: ContactId, name: &str) -> Result<()> {
    run!(tx, NAME, [project, phone_number_id, contact, name], execute).map(drop)
}

/// Sets or clears the end of the agent's pause. The row must be locked.
pub async fn pause_agent(tx: &mut Tx<'_>, project: ProjectId, id: ConversationId, until: Option<Timestamp>) -> Result<()> {
    run!(tx, PAUSE_AGENT, [project, id, until], execute).map(drop)
}

/// Clears the agent on the open conversations of a config.
pub async fn drop_agent(tx: &mut Tx<'_>, project: ProjectId, config: &WhatsappConfigRow, agent: AgentId) -> Result<()> {
    run!(tx, DROP_AGENT, [project, config.phone_number_id, config.id, agent], execute).map(drop)
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

/// A hint that keeps two nodes off the same rows; part of no key.
pub(crate) fn lane(id: ConversationId) -> i64 {
    i64::from(id.uuid().as_bytes()[15])
}
