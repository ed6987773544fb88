//! Receivers of outgoing webhooks: of one number, of a project, or the destination URL of a config.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{
    Timestamp,
    hook::{EndpointOrigin, HookEvent, PayloadVersion},
    ids::{ConversationId, HookEndpointId, MessageId, ProjectId, SecretId, WhatsappConfigId},
};
use uuid::Uuid;

stored_words!(EndpointOrigin, HookEvent, PayloadVersion);

rows! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HookEndpointRow {
        pub id: HookEndpointId,
        /// The config, or the project itself.
        pub scope_id: Uuid,
        pub whatsapp_config_id: Option<WhatsappConfigId>,
        pub origin: EndpointOrigin,
        pub url: String,
        /// JSON list of event names.
        pub events: String,
        /// JSON list of the events that are buffered.
        pub buffer_events: String,
        pub active: bool,
        pub payload_version: PayloadVersion,
        pub buffer_enabled: bool,
        pub buffer_window_seconds: i64,
        pub max_buffer_size: i64,
        pub inactivity_minutes: i64,
        /// Keeps the order of each conversation.
        pub ordered: bool,
        /// Keys and custom headers; none of a destination URL.
        pub secret_id: Option<SecretId>,
        /// The end of the key, to recognise it.
        pub secret_hint: String,
        /// JSON list.
        pub header_names: String,
        /// Time of the first failure since the last success.
        pub failing_since: Option<Timestamp>,
        pub paused_at: Option<Timestamp>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO hook_endpoints (project_id, id, scope_id, whatsapp_config_id, origin, url, events, buffer_events, active, \
               payload_version, buffer_enabled, buffer_window_seconds, max_buffer_size, inactivity_minutes, ordered, secret_id, \
               secret_hint, header_names, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"];
    FIND = ["SELECT ", HookEndpointRow, " FROM hook_endpoints WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE hook_endpoints SET updated_at = updated_at WHERE project_id = $1 AND id = $2 RETURNING ", HookEndpointRow];
    UPDATE = ["UPDATE hook_endpoints SET url = $3, events = $4, buffer_events = $5, active = $6, payload_version = $7, \
               buffer_enabled = $8, buffer_window_seconds = $9, max_buffer_size = $10, inactivity_minutes = $11, ordered = $12, \
               secret_hint = $13, header_names = $14, updated_at = $15 WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM hook_endpoints WHERE project_id = $1 AND id = $2"];
    OF_SCOPE = ["SELECT ", HookEndpointRow, " FROM hook_endpoints WHERE project_id = $1 AND scope_id = $2 ORDER BY created_at, id"];
    LIST = ["SELECT ", HookEndpointRow, " FROM hook_endpoints WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM hook_endpoints WHERE project_id = $1"];
    LIVE_OF_CONFIG = ["SELECT ", HookEndpointRow, " FROM hook_endpoints \
                       WHERE project_id = $1 AND scope_id IN ($1, $2) AND active = 1"];
    LIVE_OF_CONVERSATION = ["SELECT ", HookEndpointRow, " FROM hook_endpoints WHERE project_id = $1 AND active = 1 AND scope_id IN \
                             ($1, (SELECT whatsapp_config_id FROM conversations WHERE project_id = $1 AND id = $2))"];
    FAILING = ["UPDATE hook_endpoints SET failing_since = $3 WHERE project_id = $1 AND id = $2 AND failing_since IS NULL"];
    WORKS = ["UPDATE hook_endpoints SET failing_since = NULL WHERE project_id = $1 AND id = $2 AND failing_since IS NOT NULL"];
    PAUSE = ["UPDATE hook_endpoints SET paused_at = $3 WHERE project_id = $1 AND id = $2 AND paused_at IS NULL"];
    RESUME = ["UPDATE hook_endpoints SET paused_at = NULL, failing_since = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2"];
    SILENCE_FROM = ["INSERT INTO hook_silences (project_id, endpoint_id, conversation_id, message_id, due_at) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (project_id, endpoint_id, conversation_id) DO UPDATE SET message_id = excluded.message_id, due_at = excluded.due_at"];
    TAKE_SILENCE = ["DELETE FROM hook_silences WHERE project_id = $1 AND endpoint_id = $2 AND conversation_id = $3 AND due_at <= $4 \
                     RETURNING message_id"];
    NO_SILENCE = ["DELETE FROM hook_silences WHERE project_id = $1 AND conversation_id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, e: &HookEndpointRow) -> Result<()> {
    run!(tx, INSERT, [project, e.id, e.scope_id, e.whatsapp_config_id, e.origin, e.url, e.events, e.buffer_events,
        i64::from(e.active), e.payload_version, i64::from(e.buffer_enabled), e.buffer_window_seconds, e.max_buffer_size,
        e.inactivity_minutes, i64::from(e.ordered), e.secret_id, e.secret_hint, e.header_names, e.created_at, e.updated_at],
        execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: HookEndpointId) -> Result<Option<HookEndpointRow>> {
    run!(conn, FIND, [project, id], fetch_optional as HookEndpointRow)
}

/// Reads and locks an endpoint until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId) -> Result<Option<HookEndpointRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as HookEndpointRow)
}

/// The row must have been locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, e: &HookEndpointRow) -> Result<()> {
    run!(tx, UPDATE, [project, e.id, e.url, e.events, e.buffer_events, i64::from(e.active), e.payload_version,
        i64::from(e.buffer_enabled), e.buffer_window_seconds, e.max_buffer_size, e.inactivity_minutes, i64::from(e.ordered),
        e.secret_hint, e.header_names, e.updated_at], execute).map(drop)
}

/// Its deliveries stay in the log; those that are not delivered are not tried again.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId) -> Result<()> {
    run!(tx, DELETE, [project, id], execute).map(drop)
}

/// Endpoints of a config or of the project itself, oldest first: there are few.
pub async fn of_scope(conn: &mut Conn<'_>, project: ProjectId, scope: Uuid) -> Result<Vec<HookEndpointRow>> {
    run!(conn, OF_SCOPE, [project, scope], fetch_all as HookEndpointRow)
}

/// A page of all endpoints of a project, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, (limit, offset): (i64, i64)) -> Result<(Vec<HookEndpointRow>, i64)> {
    let rows = run!(conn, LIST, [project, limit, offset], fetch_all as HookEndpointRow)?;
    let (total,) = run!(conn, COUNT, [project], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// Active endpoints that get events of this number: its own and those of the project.
pub async fn live_of_config(conn: &mut Conn<'_>, project: ProjectId, config: Option<WhatsappConfigId>) -> Result<Vec<HookEndpointRow>> {
    run!(conn, LIVE_OF_CONFIG, [project, config.map_or(project.uuid(), |config| config.uuid())], fetch_all as HookEndpointRow)
}

/// Active endpoints that get events of this conversation.
pub async fn live_of_conversation(conn: &mut Conn<'_>, project: ProjectId, id: ConversationId) -> Result<Vec<HookEndpointRow>> {
    run!(conn, LIVE_OF_CONVERSATION, [project, id], fetch_all as HookEndpointRow)
}

/// Records the first failure since the last success.
pub async fn failing(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId, since: Timestamp) -> Result<()> {
    run!(tx, FAILING, [project, id, since], execute).map(drop)
}

/// Records a success.
pub async fn works(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId) -> Result<()> {
    run!(tx, WORKS, [project, id], execute).map(drop)
}

/// `false` if it is paused already.
pub async fn pause(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, PAUSE, [project, id, now], execute)? == 1)
}

pub async fn resume(tx: &mut Tx<'_>, project: ProjectId, id: HookEndpointId, now: Timestamp) -> Result<()> {
    run!(tx, RESUME, [project, id, now], execute).map(drop)
}

/// Starts the silence of a conversation again, with its latest message.
pub async fn silence_from(
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoint: HookEndpointId,
    conversation: ConversationId,
    message: MessageId,
    due_at: Timestamp,
) -> Result<()> {
    run!(tx, SILENCE_FROM, [project, endpoint, conversation, message, due_at], execute).map(drop)
}

/// Removes a silence that is due. Returns the latest message; `None` if another worker was faster,
/// or if there was another message.
pub async fn take_silence(
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoint: HookEndpointId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<Option<MessageId>> {
    let row = run!(tx, TAKE_SILENCE, [project, endpoint, conversation, now], fetch_optional as (MessageId,))?;
    Ok(row.map(|(id,)| id))
}

/// A conversation that is over is not inactive.
pub async fn no_silence(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId) -> Result<()> {
    run!(tx, NO_SILENCE, [project, conversation], execute).map(drop)
}
