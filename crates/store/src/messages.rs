//! Messages in both directions, in the order of their conversation.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{Timestamp, author::Author, ids::{ContactId, ConversationId, ExecutionId, MessageId, ProjectId}, message::{Delivery, Direction, MessageOrigin, MessageStatus}};

stored_words!(Delivery, Direction, MessageOrigin, MessageStatus);

rows! {
    #[derive(Debug, Clone)]
    pub struct MessageRow {
        pub id: MessageId,
        pub conversation_id: ConversationId,
        pub direction: Direction,
        /// `text` and so on.
        pub kind: String,
        pub content: String,
        /// Meta's element as it came, or what went out in the same form; none of a text that we
        /// sent.
        pub raw: Option<String>,
        /// Meta's id; none until WhatsApp accepted it.
        pub wamid: Option<String>,
        pub status: MessageStatus,
        pub origin: MessageOrigin,
        /// None of a contact's message, an automatic answer, and messages of earlier versions.
        pub author: Option<Author>,
        /// Why it failed.
        pub error: Option<String>,
        /// JSON: what became of the file that it brought; none of a message without one.
        pub media: Option<String>,
        /// Meta's time.
        pub wa_timestamp: Option<Timestamp>,
        /// Meta's time of the newest edit by the contact.
        pub edited_at: Option<Timestamp>,
        /// JSON of the texts before it, oldest first.
        pub earlier_texts: Option<String>,
        /// Meta's time at which the contact deleted it; then it has no content.
        pub deleted_at: Option<Timestamp>,
        /// Time at which it was stored.
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    pub id: MessageId,
    pub seq: i64,
    pub direction: Direction,
    pub origin: MessageOrigin,
    pub author: Option<Author>,
    /// `text` and so on.
    pub kind: &'a str,
    pub content: &'a str,
    /// Meta's element as it came, or what goes out in the same form.
    pub raw: Option<&'a str>,
    pub wamid: Option<&'a str>,
    /// Meta's time.
    pub wa_timestamp: Option<Timestamp>,
    /// The execution that wrote it.
    pub execution: Option<ExecutionId>,
    pub now: Timestamp,
}

rows! {
    /// First time of each status of a sent message, by Meta's clock.
    #[derive(Debug, Clone, Copy)]
    pub struct StatusTimes {
        pub sent_at: Option<Timestamp>,
        pub delivered_at: Option<Timestamp>,
        pub read_at: Option<Timestamp>,
        pub failed_at: Option<Timestamp>,
    }
}

statements! {
    STATUS_TIMES = ["SELECT ", StatusTimes, " FROM messages WHERE project_id = $1 AND id = $2"];
    HAS_RECEIVED = ["SELECT wamid FROM wamid_seen WHERE project_id = $1 AND phone_number_id = $2 LIMIT 1"];
    SEEN = ["INSERT INTO wamid_seen (project_id, phone_number_id, wamid, received_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, phone_number_id, wamid) DO NOTHING"];
    INSERT = ["INSERT INTO messages (project_id, conversation_id, seq, id, direction, origin, kind, content, raw, wamid, wa_timestamp, status, \
               status_rank, execution_id, created_at, updated_at, author) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $14, $15)"];
    FIND = ["SELECT ", MessageRow, " \
             FROM messages WHERE project_id = $1 AND id = $2"];
    OF_WAMID = ["SELECT ", MessageRow, " \
                 FROM messages WHERE project_id = $1 AND conversation_id = $2 AND wamid = $3"];
    OF_CONTACT = ["SELECT ", MessageRow, " FROM messages WHERE project_id = $1 AND conversation_id IN \
                   (SELECT c.id FROM conversations c WHERE c.project_id = $1 AND c.contact_id = $2 AND c.phone_number_id = $3) AND wamid = $4"];
    NEWEST = ["SELECT direction FROM messages WHERE project_id = $1 AND conversation_id = $2 AND kind <> 'reaction' ORDER BY seq DESC LIMIT 1"];
    UNSEE = ["DELETE FROM wamid_seen WHERE project_id = $1 AND phone_number_id = $2 AND wamid = $3"];
    DELETE = ["DELETE FROM messages WHERE project_id = $1 AND id = $2 RETURNING media"];
    NOTE_MEDIA = ["UPDATE messages SET media = $3, updated_at = $4 WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
    READ = ["UPDATE messages SET status = 'read', read_at = $4, updated_at = $4 WHERE project_id = $1 AND conversation_id = $2 \
             AND seq <= (SELECT m.seq FROM messages m WHERE m.project_id = $1 AND m.id = $3) AND direction = 'inbound' AND status = 'received'"];
    SHOW_AS = ["UPDATE messages SET raw = $3, updated_at = $4 WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT ", MessageRow, " \
             FROM messages WHERE project_id = $1 AND conversation_id = $2 ORDER BY seq DESC LIMIT $3 OFFSET $4"];
    IN_ORDER = ["SELECT ", MessageRow, " \
                 FROM messages WHERE project_id = $1 AND conversation_id = $2 AND seq <= $3 ORDER BY seq LIMIT 1000 OFFSET $4"];
    BEFORE = ["SELECT ", MessageRow, " \
               FROM messages WHERE project_id = $1 AND conversation_id = $2 AND seq < $3 AND created_at > $4 AND status <> 'failed' \
               ORDER BY seq DESC LIMIT $5"];
    COUNT = ["SELECT count(*) FROM messages WHERE project_id = $1 AND conversation_id = $2"];
    ACCEPTED = ["UPDATE messages SET wamid = COALESCE(wamid, $3), updated_at = $4 WHERE project_id = $1 AND id = $2 RETURNING kind, status"];
    ADVANCE = ["UPDATE messages SET status = CASE WHEN $4 > status_rank THEN $3 ELSE status END, \
                status_rank = CASE WHEN $4 > status_rank THEN $4 ELSE status_rank END, \
                sent_at = COALESCE(sent_at, $5), delivered_at = COALESCE(delivered_at, $6), read_at = COALESCE(read_at, $7), \
                failed_at = COALESCE(failed_at, $8), error = COALESCE($9, error), wamid = COALESCE(wamid, $10), updated_at = $11 \
                WHERE project_id = $1 AND id = $2 RETURNING kind, status"];
}

/// Notes a wamid. `false`: it was seen before and nothing may happen again. Concurrent callers wait
/// for each other.
pub async fn first_seen(tx: &mut Tx<'_>, project: ProjectId, phone_number_id: &str, wamid: &str, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, SEEN, [project, phone_number_id, wamid, now], execute)? == 1)
}

/// Forgets a wamid that this transaction noted, to wait for other transactions that note it.
pub async fn forget_seen(tx: &mut Tx<'_>, project: ProjectId, phone_number_id: &str, wamid: &str) -> Result<()> {
    run!(tx, UNSEE, [project, phone_number_id, wamid], execute).map(drop)
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, m: &NewMessage<'_>) -> Result<()> {
    let status = if m.direction == Direction::Inbound { MessageStatus::Received } else { MessageStatus::Pending };
    run!(tx, INSERT, [project, conversation, m.seq, m.id, m.direction, m.origin, m.kind, m.content, m.raw, m.wamid, m.wa_timestamp,
        status, m.execution, m.now, m.author], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: MessageId) -> Result<Option<MessageRow>> {
    run!(conn, FIND, [project, id], fetch_optional as MessageRow)
}

pub async fn status_times(conn: &mut Conn<'_>, project: ProjectId, id: MessageId) -> Result<Option<StatusTimes>> {
    run!(conn, STATUS_TIMES, [project, id], fetch_optional as StatusTimes)
}

/// The message of a conversation that has this id at WhatsApp.
pub async fn of_wamid(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    wamid: &str,
) -> Result<Option<MessageRow>> {
    run!(conn, OF_WAMID, [project, conversation, wamid], fetch_optional as MessageRow)
}

/// The message with this id at WhatsApp in any conversation of a contact with a number.
pub async fn of_contact(
    conn: &mut Conn<'_>,
    project: ProjectId,
    contact: ContactId,
    phone_number_id: &str,
    wamid: &str,
) -> Result<Option<MessageRow>> {
    run!(conn, OF_CONTACT, [project, contact, phone_number_id, wamid], fetch_optional as MessageRow)
}

/// Direction of a conversation's newest message; reactions do not count.
pub async fn newest_direction(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId) -> Result<Option<Direction>> {
    Ok(run!(conn, NEWEST, [project, conversation], fetch_optional as (Direction,))?.map(|(direction,)| direction))
}

/// Removes our copy of a message. What was noted of its file, which is no longer named by anything.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: MessageId) -> Result<Option<String>> {
    let row = run!(tx, DELETE, [project, id], fetch_optional as (Option<String>,))?;
    Ok(row.and_then(|(media,)| media))
}

/// Notes what became of a message's file. `false`: our copy or the contact's message was deleted.
pub async fn note_media(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, media: &str, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, NOTE_MEDIA, [project, id, media, now], execute)? == 1)
}

/// Marks inbound messages as read, up to this one. Returns the number of changed messages.
pub async fn read(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, id: MessageId, now: Timestamp) -> Result<u64> {
    run!(tx, READ, [project, conversation, id, now], execute)
}

/// Notes what a message holds by now, as Meta's element.
pub async fn show_as(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, raw: &str, now: Timestamp) -> Result<()> {
    run!(tx, SHOW_AS, [project, id, raw, now], execute).map(drop)
}

/// A page of a conversation's messages, newest first, and how many there are.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<MessageRow>, i64)> {
    let rows = run!(conn, LIST, [project, conversation, limit, offset], fetch_all as MessageRow)?;
    let (total,) = run!(conn, COUNT, [project, conversation], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// All messages of a conversation up to a place, oldest first.
pub async fn in_order(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId, until: i64) -> Result<Vec<MessageRow>> {
    let mut rows = Vec::new();
    for offset in (0_i64..).step_by(1_000) {
        let some = run!(conn, IN_ORDER, [project, conversation, until, offset], fetch_all as MessageRow)?;
        let last = some.len() < 1_000;
        rows.extend(some);
        if last {
            break;
        }
    }
    Ok(rows)
}

/// The newest messages before a place and after a time, oldest first.
pub async fn before(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    seq: i64,
    after: Timestamp,
    most: i64,
) -> Result<Vec<MessageRow>> {
    let mut rows =
        run!(conn, BEFORE, [project, conversation, seq, after, most], fetch_all as MessageRow)?;
    rows.reverse();
    Ok(rows)
}

/// A message as a change leaves it; none if our copy was deleted.
pub type Left = Option<(String, MessageStatus)>;

/// Records the id that WhatsApp gave it, unless a status has told one: then that copy is the one
/// whose statuses count. Gives its kind and status.
pub async fn accepted(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, wamid: &str, now: Timestamp) -> Result<Left> {
    run!(tx, ACCEPTED, [project, id, wamid, now], fetch_optional as (String, MessageStatus))
}

/// A status webhook's change of a message.
#[derive(Debug, Clone)]
pub struct StatusChange<'a> {
    pub to: Delivery,
    /// Time by Meta's clock.
    pub at: Timestamp,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// Meta's id of the message.
    pub wamid: Option<&'a str>,
    pub now: Timestamp,
}

/// Moves a message forward, never backward; each state keeps its own first time. Gives its kind and
/// status.
pub async fn advance(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, change: &StatusChange<'_>) -> Result<Left> {
    let at = |delivery| (change.to == delivery).then_some(change.at.micros());
    let read = at(Delivery::Read).or(at(Delivery::Played));
    run!(tx, ADVANCE, [project, id, change.to, change.to.rank(), at(Delivery::Sent), at(Delivery::Delivered), read,
        at(Delivery::Failed), change.error, change.wamid, change.now], fetch_optional as (String, MessageStatus))
}

/// True if a message was received on a number.
pub async fn has_received(conn: &mut Conn<'_>, project: ProjectId, phone_number_id: &str) -> Result<bool> {
    Ok(run!(conn, HAS_RECEIVED, [project, phone_number_id], fetch_optional as (String,))?.is_some())
}
