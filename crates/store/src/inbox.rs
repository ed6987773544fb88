//! Inbox: conversations with what a person needs to see of each in a list.

use crate::{db::{Conn, Result, Tx, rows, run, statements}, messages::MessageRow, search};
use domain::{Timestamp, author::Author, conversation::ConversationStatus, execution::ExecutionStatus, ids::{AgentId, ContactId, ConversationId, ExecutionId, MessageId, ProjectId, UserId, WhatsappConfigId}, message::{Direction, MessageOrigin, MessageStatus}};
use std::collections::HashMap;
use uuid::Uuid;

rows! {
    /// A conversation with its agent, latest execution, assignment and latest message.
    #[derive(Debug, Clone)]
    pub struct EntryRow {
        pub id: ConversationId,
        pub contact_id: ContactId,
        pub contact_name: Option<String>,
        /// `+` and digits; none if the contact hides the number.
        pub phone_number: Option<String>,
        pub phone_number_id: String,
        /// Config of the number; none on the sandbox's.
        pub config_id: Option<WhatsappConfigId>,
        pub config_name: Option<String>,
        pub status: ConversationStatus,
        pub last_active_at: Timestamp,
        pub last_inbound_at: Option<Timestamp>,
        /// Answers new messages.
        pub agent_id: Option<AgentId>,
        pub agent_name: Option<String>,
        pub execution_id: Option<ExecutionId>,
        pub execution_agent_id: Option<AgentId>,
        pub execution_status: Option<ExecutionStatus>,
        pub handoff_reason: Option<String>,
        pub execution_error: Option<String>,
        pub assignee_id: Option<UserId>,
        pub assignee_name: Option<String>,
        pub assignment_id: Option<Uuid>,
        pub message_id: Option<MessageId>,
        pub message_kind: Option<String>,
        pub message_content: Option<String>,
        pub message_raw: Option<String>,
        pub message_direction: Option<Direction>,
        pub message_origin: Option<MessageOrigin>,
        pub message_status: Option<MessageStatus>,
        pub message_at: Option<Timestamp>,
        /// The contact deleted it.
        pub message_deleted_at: Option<Timestamp>,
        /// A message of the contact came after the place up to which the reader has read.
        pub unread: bool,
    }
}

rows! {
    /// Place, author and delivery times of a message in a thread.
    #[derive(Debug, Clone)]
    pub struct PlaceRow {
        pub id: MessageId,
        /// Place in the conversation.
        pub seq: i64,
        pub origin: MessageOrigin,
        pub author: Option<Author>,
        /// The execution that wrote it.
        pub execution_id: Option<ExecutionId>,
        pub sent_at: Option<Timestamp>,
        pub delivered_at: Option<Timestamp>,
        pub read_at: Option<Timestamp>,
    }
}

/// A part of the inbox. Closed conversations are only in [`View::All`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Assigned to the reader.
    Mine,
    /// The agent asked for a person, or failed, and no person has taken over.
    NeedsPerson,
    /// Answered by the agent.
    Agent,
    All,
}

impl View {
    pub const EACH: [Self; 4] = [Self::Mine, Self::NeedsPerson, Self::Agent, Self::All];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::NeedsPerson => "needs_person",
            Self::Agent => "agent",
            Self::All => "all",
        }
    }
}

/// Selection of a list.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'f> {
    pub view: View,
    /// The person who reads; a key has no conversations of its own.
    pub reader: Option<UserId>,
    pub status: Option<ConversationStatus>,
    /// Part of a name or number.
    pub search: Option<&'f str>,
    pub contact: Option<ContactId>,
    /// Meta's id of the number.
    pub phone_number_id: Option<&'f str>,
    /// Only conversations after this place in the list.
    pub before: Option<(Timestamp, ConversationId)>,
}

/// Columns of the selected conversations, `c`.
struct Selected;

impl Selected {
    const COLUMNS: &str = "id, contact_id, contact_name, phone_number, phone_number_id, whatsapp_config_id, status, last_active_at, last_inbound_at, agent_id, \
        execution_id, assignee_id";
}

/// Columns of [`EntryRow`].
struct Entry;

impl Entry {
    const COLUMNS: &str = "c.id AS id, c.contact_id AS contact_id, c.contact_name AS contact_name, c.phone_number AS phone_number, \
        c.phone_number_id AS phone_number_id, c.whatsapp_config_id AS config_id, w.name AS config_name, c.status AS status, c.last_active_at AS last_active_at, c.last_inbound_at AS last_inbound_at, \
        c.agent_id AS agent_id, a.name AS agent_name, e.id AS execution_id, e.agent_id AS execution_agent_id, \
        e.status AS execution_status, e.handoff_reason AS handoff_reason, e.error AS execution_error, c.assignee_id AS assignee_id, \
        u.name AS assignee_name, s.id AS assignment_id, m.id AS message_id, m.kind AS message_kind, m.content AS message_content, \
        m.raw AS message_raw, m.direction AS message_direction, m.origin AS message_origin, m.status AS message_status, \
        m.created_at AS message_at, m.deleted_at AS message_deleted_at, ";
}

/// True if the reader, a parameter, has not read the contact's latest messages; of a key never.
struct Unread;

impl Unread {
    const COLUMNS: &str = "EXISTS (SELECT 1 FROM messages n WHERE project_id = $1 AND n.conversation_id = c.id AND n.direction = 'inbound' \
        AND n.seq > COALESCE((SELECT r.seq FROM inbox_reads r WHERE r.project_id = $1 AND r.user_id = $2 AND r.conversation_id = c.id), 0)) \
        AND $2 IS NOT NULL AS unread";
}

/// Rows of other tables that belong to `c`.
struct Joined;

impl Joined {
    const COLUMNS: &str = "LEFT JOIN executions e ON e.project_id = $1 AND e.id = c.execution_id \
        LEFT JOIN agents a ON a.project_id = $1 AND a.id = c.agent_id \
        LEFT JOIN users u ON u.id = c.assignee_id \
        LEFT JOIN whatsapp_configs w ON w.project_id = $1 AND w.id = c.whatsapp_config_id \
        LEFT JOIN conversation_assignments s ON s.project_id = $1 AND s.conversation_id = c.id AND s.active = 1 \
        LEFT JOIN messages m ON m.project_id = $1 AND m.conversation_id = c.id AND m.seq = \
            (SELECT max(l.seq) FROM messages l WHERE l.project_id = $1 AND l.conversation_id = c.id)";
}

/// Conversations of every view. Those of test chats have no number.
struct OfAll;

impl OfAll {
    const COLUMNS: &str = "FROM conversations WHERE project_id = $1 AND phone_number_id <> ''";
}

/// Open conversations of the reader, `$2`.
struct OfReader;

impl OfReader {
    const COLUMNS: &str = "FROM conversations WHERE project_id = $1 AND assignee_id = $2 AND assignee_id IS NOT NULL AND status = 'active' \
        AND phone_number_id <> ''";
}

/// Open conversations whose agent asked for a person or failed, and was not silenced by a reply on the
/// shop's phone. The few executions are read first:
/// `CROSS JOIN` is SQLite's word for that order.
struct OfAnyPerson;

impl OfAnyPerson {
    const COLUMNS: &str = "FROM (SELECT conversation_id AS in_conversation, id AS waiting FROM executions \
        WHERE project_id = $1 AND status IN ('handoff', 'failed') AND (handoff_reason IS NULL OR handoff_reason <> 'phone_reply')) x CROSS JOIN conversations WHERE project_id = $1 \
        AND id = x.in_conversation AND execution_id = x.waiting AND status = 'active' AND phone_number_id <> '' \
        AND assignee_id IS NULL AND agent_id IS NOT NULL";
}

/// Open conversations that the agent answers.
struct OfAgent;

impl OfAgent {
    const COLUMNS: &str = "FROM conversations WHERE project_id = $1 AND status = 'active' AND phone_number_id <> '' AND assignee_id IS NULL \
        AND agent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.project_id = $1 AND x.id = conversations.execution_id \
        AND x.status IN ('handoff', 'failed') AND (x.handoff_reason IS NULL OR x.handoff_reason <> 'phone_reply'))";
}

/// Further conditions of a list, its order and its length.
struct Matching;

impl Matching {
    const COLUMNS: &str = " AND ($3 = '' OR status = $3) \
        AND ($4 = '' OR phone_number LIKE $4 ESCAPE '\\' OR EXISTS (SELECT 1 FROM contacts k WHERE k.project_id = $1 \
            AND k.id = conversations.contact_id AND k.name_search LIKE $4 ESCAPE '\\')) \
        AND ($8 OR contact_id = $9) AND ($10 = '' OR phone_number_id = $10) AND last_active_at <= $5 AND (last_active_at < $5 OR id < $6) \
        ORDER BY last_active_at DESC, id DESC LIMIT $7) c ";
}

/// Order of the selected conversations.
struct Newest;

impl Newest {
    const COLUMNS: &str = " ORDER BY c.last_active_at DESC, c.id DESC";
}

statements! {
    LIST_ALL = ["SELECT ", Entry, Unread, " FROM (SELECT ", Selected, " ", OfAll, Matching, Joined, Newest];
    LIST_MINE = ["SELECT ", Entry, Unread, " FROM (SELECT ", Selected, " ", OfReader, Matching, Joined, Newest];
    LIST_NEEDS_PERSON = ["SELECT ", Entry, Unread, " FROM (SELECT ", Selected, " ", OfAnyPerson, Matching, Joined, Newest];
    LIST_AGENT = ["SELECT ", Entry, Unread, " FROM (SELECT ", Selected, " ", OfAgent, Matching, Joined, Newest];
    FIND = ["SELECT ", Entry, Unread, " FROM (SELECT ", Selected, " FROM conversations WHERE project_id = $1 AND id = $3 AND phone_number_id <> '') c ", Joined];
    // In the order of the list: with the list's index, and from its start.
    COUNT_ALL = ["SELECT count(*) FROM (SELECT id ", OfAll, " AND status = 'active' ORDER BY last_active_at DESC LIMIT $2) c"];
    COUNT_MINE = ["SELECT count(*) FROM (SELECT id ", OfReader, " ORDER BY last_active_at DESC LIMIT $3) c"];
    COUNT_NEEDS_PERSON = ["SELECT count(*) FROM (SELECT id ", OfAnyPerson, " LIMIT $2) c"];
    COUNT_AGENT = ["SELECT count(*) FROM (SELECT id ", OfAgent, " ORDER BY last_active_at DESC LIMIT $2) c"];
    READ_UP_TO = ["INSERT INTO inbox_reads (project_id, user_id, conversation_id, seq) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (project_id, user_id, conversation_id) DO UPDATE SET seq = excluded.seq WHERE inbox_reads.seq <> excluded.seq"];
    PLACES = ["SELECT ", PlaceRow, " FROM messages WHERE project_id = $1 AND conversation_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4"];
    MESSAGES = ["SELECT ", MessageRow, " FROM messages WHERE project_id = $1 AND conversation_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4"];
}

/// Conversations of a view, latest activity first.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter<'_>, limit: i64) -> Result<Vec<EntryRow>> {
    let search = f.search.map(search::containing).unwrap_or_default();
    let status = f.status.map_or("", ConversationStatus::as_str);
    let (at, id) = f.before.unwrap_or((Timestamp::from_micros(i64::MAX), ConversationId::from_uuid(Uuid::max())));
    let list = match f.view {
        View::Mine => LIST_MINE,
        View::NeedsPerson => LIST_NEEDS_PERSON,
        View::Agent => LIST_AGENT,
        View::All => LIST_ALL,
    };
    run!(conn, list, [project, f.reader, status, search, at, id, limit, f.contact.is_none(), f.contact, f.phone_number_id.unwrap_or_default()],
        fetch_all as EntryRow)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, reader: Option<UserId>, id: ConversationId) -> Result<Option<EntryRow>> {
    run!(conn, FIND, [project, reader, id], fetch_optional as EntryRow)
}

/// Sets the place up to which a person has read a conversation; an earlier place makes it unread.
/// `false` if nothing changed.
pub async fn read_up_to(tx: &mut Tx<'_>, project: ProjectId, reader: UserId, id: ConversationId, seq: i64) -> Result<bool> {
    Ok(run!(tx, READ_UP_TO, [project, reader, id, seq], execute)? > 0)
}

/// Number of open conversations of a view, counted up to `most`.
pub async fn count(conn: &mut Conn<'_>, project: ProjectId, view: View, reader: Option<UserId>, most: i64) -> Result<i64> {
    let (n,) = match view {
        View::Mine => run!(conn, COUNT_MINE, [project, reader, most], fetch_one as (i64,)),
        View::NeedsPerson => run!(conn, COUNT_NEEDS_PERSON, [project, most], fetch_one as (i64,)),
        View::Agent => run!(conn, COUNT_AGENT, [project, most], fetch_one as (i64,)),
        View::All => run!(conn, COUNT_ALL, [project, most], fetch_one as (i64,)),
    }?;
    Ok(n)
}

/// A conversation's messages before a place, newest first, with their places.
pub async fn messages(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    before: i64,
    limit: i64,
) -> Result<Vec<(MessageRow, PlaceRow)>> {
    let rows = run!(conn, MESSAGES, [project, conversation, before, limit], fetch_all as MessageRow)?;
    let places = run!(conn, PLACES, [project, conversation, before, limit], fetch_all as PlaceRow)?;
    let mut places: HashMap<_, _> = places.into_iter().map(|place| (place.id, place)).collect();
    // A message that arrived or was deleted between the two reads is in one of them.
    Ok(rows.into_iter().filter_map(|row| places.remove(&row.id).map(|place| (row, place))).collect())
}
