//! All statements without a project: look-ups in the directory, the workers'
//! scans for due rows (which return keys only) and the leases of a whole node.

use crate::{
    db::{Conn, Error, Result, Tx, rows, run, statements, stored_words},
    events::EventRow,
    invitations::InvitationRow,
    projects::Stopped,
    secrets::SecretKind,
    suspects::SuspectRow,
};
use domain::{
    Timestamp,
    conversation::NumberProof,
    ids::{
        ApiKeyId, ConversationId, ExecutionId, HookDeliveryId, HookEndpointId, OutboxId, ProjectId, SecretId, UserId,
        WhatsappConfigId,
    },
    role::Role,
    words,
};
use uuid::Uuid;

words! {
    pub enum DirectoryKind {
        /// An API key by its lookup part.
        ApiKey = "api_key",
        /// The WhatsApp config that receives a number's messages, by `phone_number_id`.
        Number = "number",
        /// Row to lock while a message to a number is held, or the number is routed.
        NumberLock = "number_lock",
        /// A sandbox session by its code.
        SandboxCode = "sandbox_code",
        /// The active sandbox session of a phone, by its canonical digits.
        SandboxPhone = "sandbox_phone",
    }
}
stored_words!(DirectoryKind);

rows! {
    /// The target of a directory entry.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Pointer {
        pub project_id: ProjectId,
        pub object_id: Uuid,
    }
}

rows! {
    /// A due conversation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct DueConversation {
        pub project_id: ProjectId,
        pub id: ConversationId,
        /// A claim succeeds only at this epoch.
        pub epoch: i64,
    }
}

rows! {
    /// A due outbox entry.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct DueOutbox {
        pub project_id: ProjectId,
        pub id: OutboxId,
        /// A claim succeeds only at this epoch.
        pub epoch: i64,
    }
}

rows! {
    /// A due timer or job.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct DueRow {
        pub project_id: ProjectId,
        pub id: Uuid,
    }
}

rows! {
    /// A config with a given verify token.
    #[derive(Debug, Clone, Copy)]
    pub struct TokenOwner {
        pub project_id: ProjectId,
        pub proof: NumberProof,
    }
}

rows! {
    /// Key of a webhook that waits for the proof of a number.
    #[derive(Debug, Clone)]
    pub struct HeldWebhook {
        pub day: i64,
        pub body_sha256: Vec<u8>,
    }
}

rows! {
    /// A conversation that is no longer due.
    #[derive(Debug, Clone, Copy)]
    pub struct PausedConversation {
        pub project_id: ProjectId,
        pub id: ConversationId,
        pub execution_id: Option<ExecutionId>,
    }
}

rows! {
    /// An API key that is not revoked, for operators.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ListedKey {
        pub project_id: ProjectId,
        pub id: ApiKeyId,
        /// Part of the key that identifies it, no secret.
        pub lookup: String,
        pub name: String,
        /// None: all rights of the project.
        pub role: Option<Role>,
        pub user_id: Option<UserId>,
        pub created_at: Timestamp,
        pub expires_at: Option<Timestamp>,
        /// A minute old at most.
        pub last_used_at: Option<Timestamp>,
    }
}

rows! {
    /// An endpoint with a due delivery.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct DueHookEndpoint {
        pub project_id: ProjectId,
        pub id: HookEndpointId,
        /// Its latest attempts failed.
        pub failing_since: Option<Timestamp>,
    }
}

rows! {
    /// A conversation that has been silent for as long as an endpoint asked.
    #[derive(Debug, Clone, Copy)]
    pub struct DueSilence {
        pub project_id: ProjectId,
        pub endpoint_id: HookEndpointId,
        pub conversation_id: ConversationId,
    }
}

rows! {
    /// The key of a stored secret.
    #[derive(Debug, Clone)]
    pub struct StoredSecret {
        pub project_id: ProjectId,
        pub id: SecretId,
        pub kind: SecretKind,
    }
}

statements! {
    POINT = ["INSERT INTO directory (kind, value, project_id, object_id) VALUES ($1, $2, $3, $4) \
              ON CONFLICT (kind, value) DO UPDATE SET project_id = excluded.project_id, object_id = excluded.object_id"];
    CLAIM = ["INSERT INTO directory (kind, value, project_id, object_id) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, value) DO NOTHING"];
    OF_VERIFY_TOKEN = ["SELECT ", TokenOwner, " FROM whatsapp_configs WHERE webhook_verify_token = $1 \
                       AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) LIMIT 1000"];
    VERIFY_NUMBERS = ["UPDATE whatsapp_configs SET webhook_verified_at = $3 WHERE webhook_verify_token = $1 AND project_id = $2 RETURNING id"];
    OF_NUMBER = ["SELECT ", DueRow, " FROM whatsapp_configs WHERE phone_number_id = $1 \
                 AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) ORDER BY project_id LIMIT 1000"];
    HOLD = ["INSERT INTO held_webhooks (phone_number_id, received_at, day, body_sha256) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"];
    HELD = ["SELECT ", HeldWebhook, " FROM held_webhooks WHERE phone_number_id = $1 ORDER BY received_at LIMIT $2"];
    RELEASE = ["DELETE FROM held_webhooks WHERE phone_number_id = $1 AND day = $2 AND body_sha256 = $3"];
    INVITATION = ["SELECT ", InvitationRow, " FROM invitations WHERE token_hash = $1 AND expires_at > $2"];
    LOOK_UP = ["SELECT ", Pointer, " FROM directory WHERE kind = $1 AND value = $2 \
               AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = project_id AND p.deleted_at IS NOT NULL)"];
    FORGET = ["DELETE FROM directory WHERE kind = $1 AND value = $2 AND project_id = $3 AND object_id = $4"];
    TURNS_DUE = ["SELECT count(*), min(at) FROM (SELECT due_at AS at FROM conversations WHERE due_at <= $1 \
                  AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") ORDER BY due_at LIMIT $2) due"];
    SENDS_DUE = ["SELECT count(*), min(at) FROM (SELECT next_at AS at FROM outbox WHERE next_at <= $1 \
                  AND state IN ('queued', 'sending', 'unknown') \
                  AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") ORDER BY next_at LIMIT $2) due"];
    JOBS_DUE = ["SELECT count(*), min(at) FROM (SELECT run_at AS at FROM jobs WHERE run_at <= $1 \
                 AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") ORDER BY run_at LIMIT $2) due"];
    TIMERS_DUE = ["SELECT count(*), min(at) FROM (SELECT fire_at AS at FROM timers WHERE fire_at <= $1 ORDER BY fire_at LIMIT $2) due"];
    DELIVERIES_DUE = ["SELECT count(*), min(at) FROM (SELECT next_at AS at FROM hook_deliveries WHERE next_at <= $1 \
                       AND state IN ('open', 'pending') \
                       AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") ORDER BY next_at LIMIT $2) due"];
    DUE_TIMERS = ["SELECT ", DueRow, " FROM timers WHERE fire_at <= $1 \
                   AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) ORDER BY fire_at LIMIT $2"];
    DUE_JOBS = ["SELECT ", DueRow, " FROM jobs WHERE run_at <= $1 AND kind NOT IN ('test_run', 'read_receipt', 'template_sync', 'template_refresh', 'media_fetch', 'number_proof', 'project_delete') \
                 AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) AND lease_until < ", db_now, " ORDER BY run_at LIMIT $2"];
    DUE_CALLS = ["SELECT ", DueRow, " FROM jobs WHERE run_at <= $1 AND kind IN ('read_receipt', 'template_sync', 'template_refresh', 'number_proof') \
                  AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) AND lease_until < ", db_now, " ORDER BY run_at LIMIT $2"];
    DUE_FETCHES = ["SELECT ", DueRow, " FROM jobs WHERE run_at <= $1 AND kind = 'media_fetch' \
                    AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) AND lease_until < ", db_now, " ORDER BY run_at LIMIT $2"];
    PROJECTS_OF_ACCOUNT = ["SELECT DISTINCT project_id FROM whatsapp_configs WHERE waba_id = $1 AND proof <> 'unproved' \
                            AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) ORDER BY project_id LIMIT 1000"];
    PROJECT_OF_EXECUTION = ["SELECT project_id FROM executions WHERE id = $1"];
    EXECUTIONS = ["SELECT ", DueRow, " FROM executions ORDER BY created_at, id LIMIT 1000"];
    ANY_SECRET = ["SELECT ", StoredSecret, " FROM secrets LIMIT 1"];
    UNSETTLED = ["SELECT ", DueConversation, " FROM outbox WHERE state IN ('queued', 'sending', 'unknown') ORDER BY next_at LIMIT $1"];
    PAUSE_DUE = ["UPDATE conversations SET due_at = NULL, burst_started_at = NULL, lease_owner = NULL, lease_until = 0, \
                  epoch = epoch + 1 WHERE due_at <= $1 RETURNING ", PausedConversation];
    OTHER_KEY = ["SELECT kek_id FROM secrets WHERE kek_id <> $1 LIMIT 1"];
    API_KEYS = ["SELECT ", ListedKey, " FROM api_keys WHERE (project_id, id) > ($1, $2) AND revoked_at IS NULL \
                 ORDER BY project_id, id LIMIT $3"];
    PROJECT_OF_KEY = ["SELECT project_id FROM api_keys WHERE id = $1"];
    SUSPECTS = ["SELECT ", SuspectRow, " FROM suspects ORDER BY project_id, kind, subject_id LIMIT 1000"];
    DUE_HOOK_ENDPOINTS = ["SELECT ", DueHookEndpoint, " FROM hook_endpoints h WHERE active = 1 AND paused_at IS NULL \
                           AND h.project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") AND EXISTS \
                           (SELECT 1 FROM hook_deliveries d WHERE d.project_id = h.project_id AND d.endpoint_id = h.id \
                           AND d.next_at <= $1 AND d.state IN ('open', 'pending') AND d.lease_until < ", db_now, ") LIMIT $2"];
    DUE_SILENCES = ["SELECT ", DueSilence, " FROM hook_silences WHERE due_at <= $1 \
                     AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL) ORDER BY due_at LIMIT $2"];
    HOOK_PROJECTS = ["SELECT id FROM projects p WHERE EXISTS (SELECT 1 FROM hook_deliveries d WHERE d.project_id = p.id AND d.id < $1)"];
    VOID_HOOKS = ["UPDATE hook_deliveries SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 WHERE state IN ('open', 'pending') AND lease_until > 0"];
    VOID_HOOKS_OF = ["UPDATE hook_deliveries SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 \
                      WHERE state IN ('open', 'pending') AND lease_until > 0 AND substr(lease_owner, 1, length($1)) = $1"];
    VOID_CONVERSATIONS = ["UPDATE conversations SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 WHERE lease_until > 0"];
    VOID_OUTBOX = ["UPDATE outbox SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 WHERE lease_until > 0"];
    VOID_CONVERSATIONS_OF = ["UPDATE conversations SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 \
                             WHERE lease_until > 0 AND substr(lease_owner, 1, length($1)) = $1"];
    VOID_OUTBOX_OF = ["UPDATE outbox SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 \
                      WHERE lease_until > 0 AND substr(lease_owner, 1, length($1)) = $1"];
    VOID_JOBS_OF = ["UPDATE jobs SET lease_until = 0, lease_owner = NULL, epoch = epoch + 1 \
                    WHERE lease_until > 0 AND substr(lease_owner, 1, length($1)) = $1"];
    DATABASE_TIME = ["SELECT ", db_now];
    EVENTS_AFTER = ["SELECT ", EventRow, " FROM events WHERE (recorded_at, id) > ($1, $2) ORDER BY recorded_at, id LIMIT $3"];
    DELETE_EVENTS = ["DELETE FROM events WHERE (project_id, recorded_at, id) IN (SELECT project_id, recorded_at, id FROM events \
                      WHERE recorded_at < $1 ORDER BY recorded_at, id LIMIT $2)"];
    VOID_JOBS = ["UPDATE jobs SET lease_until = 0, epoch = epoch + 1 WHERE lease_until > 0"];
}

/// Adds or replaces an entry.
pub async fn point(tx: &mut Tx<'_>, kind: DirectoryKind, value: &str, project: ProjectId, object: Uuid) -> Result<()> {
    run!(tx, POINT, [kind, value, project, object], execute).map(drop)
}

/// Adds an entry. [`Error::Conflict`] if `value` is taken.
pub async fn claim(tx: &mut Tx<'_>, kind: DirectoryKind, value: &str, project: ProjectId, object: Uuid) -> Result<()> {
    match run!(tx, CLAIM, [kind, value, project, object], execute)? {
        0 => Err(Error::Conflict(format!("directory: {}", kind.as_str()))),
        _ => Ok(()),
    }
}

/// Configs with this verify token, of all projects.
pub async fn of_verify_token(conn: &mut Conn<'_>, verify_token: &str) -> Result<Vec<TokenOwner>> {
    run!(conn, OF_VERIFY_TOKEN, [verify_token], fetch_all as TokenOwner)
}

/// Records Meta's handshake at the project's configs with this verify token, and returns these.
pub async fn verify_numbers(
    tx: &mut Tx<'_>,
    project: ProjectId,
    verify_token: &str,
    now: Timestamp,
) -> Result<Vec<WhatsappConfigId>> {
    let rows = run!(tx, VERIFY_NUMBERS, [verify_token, project, now], fetch_all as (WhatsappConfigId,))?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Configs of this number, in all projects.
pub async fn of_number(conn: &mut Conn<'_>, phone_number_id: &str) -> Result<Vec<DueRow>> {
    run!(conn, OF_NUMBER, [phone_number_id], fetch_all as DueRow)
}

/// Locks a number until the transaction ends: it is not routed while a message to it is held, and
/// the reverse.
pub async fn lock_number(tx: &mut Tx<'_>, phone_number_id: &str) -> Result<()> {
    point(tx, DirectoryKind::NumberLock, phone_number_id, ProjectId::from_uuid(Uuid::nil()), Uuid::nil()).await
}

/// Holds a kept webhook until its number is proved.
pub async fn hold(tx: &mut Tx<'_>, phone_number_id: &str, kept: (i64, &[u8]), now: Timestamp) -> Result<()> {
    run!(tx, HOLD, [phone_number_id, now, kept.0, kept.1], execute).map(drop)
}

/// Held webhooks of a number, oldest first.
pub async fn held(conn: &mut Conn<'_>, phone_number_id: &str, limit: i64) -> Result<Vec<HeldWebhook>> {
    run!(conn, HELD, [phone_number_id, limit], fetch_all as HeldWebhook)
}

/// Stops holding a webhook. False if another transaction did.
pub async fn release(tx: &mut Tx<'_>, phone_number_id: &str, held: &HeldWebhook) -> Result<bool> {
    Ok(run!(tx, RELEASE, [phone_number_id, held.day, &held.body_sha256[..]], execute)? == 1)
}

pub async fn look_up(conn: &mut Conn<'_>, kind: DirectoryKind, value: &str) -> Result<Option<Pointer>> {
    run!(conn, LOOK_UP, [kind, value], fetch_optional as Pointer)
}

/// The valid invitation with this token.
pub async fn invitation(conn: &mut Conn<'_>, token_hash: &[u8], now: Timestamp) -> Result<Option<InvitationRow>> {
    run!(conn, INVITATION, [token_hash, now], fetch_optional as InvitationRow)
}

/// Removes an entry if it still has this target.
pub async fn forget(tx: &mut Tx<'_>, kind: DirectoryKind, value: &str, pointer: Pointer) -> Result<()> {
    run!(tx, FORGET, [kind, value, pointer.project_id, pointer.object_id], execute).map(drop)
}

/// Due work of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    pub name: &'static str,
    /// Counted up to 10,000.
    pub due: i64,
    pub oldest: Option<Timestamp>,
}

/// Due turns, sends, jobs, timers and outgoing webhooks, also those under way. Work of stopped projects
/// does not count.
pub async fn queues(conn: &mut Conn<'_>, now: Timestamp) -> Result<[Queue; 5]> {
    const MOST: i64 = 10_000;
    let turns = run!(conn, TURNS_DUE, [now, MOST], fetch_one as (i64, Option<Timestamp>))?;
    let sends = run!(conn, SENDS_DUE, [now, MOST], fetch_one as (i64, Option<Timestamp>))?;
    let jobs = run!(conn, JOBS_DUE, [now, MOST], fetch_one as (i64, Option<Timestamp>))?;
    let timers = run!(conn, TIMERS_DUE, [now, MOST], fetch_one as (i64, Option<Timestamp>))?;
    let webhooks = run!(conn, DELIVERIES_DUE, [now, MOST], fetch_one as (i64, Option<Timestamp>))?;
    let named = [("turns", turns), ("sends", sends), ("jobs", jobs), ("timers", timers), ("webhooks", webhooks)];
    Ok(named.map(|(name, (due, oldest))| Queue { name, due, oldest }))
}

/// Endpoints with a due delivery: one that has many delays no other.
pub async fn due_hook_endpoints(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueHookEndpoint>> {
    run!(conn, DUE_HOOK_ENDPOINTS, [now, limit], fetch_all as DueHookEndpoint)
}

/// Conversations that have been silent for long enough, oldest first.
pub async fn due_silences(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueSilence>> {
    run!(conn, DUE_SILENCES, [now, limit], fetch_all as DueSilence)
}

/// Projects with deliveries that are older than this id.
pub async fn projects_with_hooks_before(conn: &mut Conn<'_>, before: HookDeliveryId) -> Result<Vec<ProjectId>> {
    let rows = run!(conn, HOOK_PROJECTS, [before], fetch_all as (ProjectId,))?;
    Ok(rows.into_iter().map(|(project,)| project).collect())
}

pub async fn due_timers(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueRow>> {
    run!(conn, DUE_TIMERS, [now, limit], fetch_all as DueRow)
}

/// Due jobs that call Meta. They wait for Meta, so they have a worker of their own.
pub async fn due_calls(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueRow>> {
    run!(conn, DUE_CALLS, [now, limit], fetch_all as DueRow)
}

/// Due jobs that download a file, oldest first.
pub async fn due_fetches(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueRow>> {
    run!(conn, DUE_FETCHES, [now, limit], fetch_all as DueRow)
}

/// Projects with a proved number of this business account.
pub async fn projects_of_account(conn: &mut Conn<'_>, waba_id: &str) -> Result<Vec<ProjectId>> {
    let rows = run!(conn, PROJECTS_OF_ACCOUNT, [waba_id], fetch_all as (ProjectId,))?;
    Ok(rows.into_iter().map(|(project,)| project).collect())
}

/// Other due jobs.
pub async fn due_jobs(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueRow>> {
    run!(conn, DUE_JOBS, [now, limit], fetch_all as DueRow)
}

/// For the operator's commands.
pub async fn project_of_execution(conn: &mut Conn<'_>, id: ExecutionId) -> Result<Option<ProjectId>> {
    let row = run!(conn, PROJECT_OF_EXECUTION, [id], fetch_optional as (ProjectId,))?;
    Ok(row.map(|(project,)| project))
}

/// The first thousand executions of all projects, for the operator's commands.
pub async fn executions(conn: &mut Conn<'_>) -> Result<Vec<DueRow>> {
    run!(conn, EXECUTIONS, [], fetch_all as DueRow)
}

/// Outbox entries whose result is open, whenever they are due.
pub async fn unsettled_outbox(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<DueOutbox>> {
    run!(conn, UNSETTLED, [limit], fetch_all as DueOutbox)
}

/// Makes all due conversations wait for their next input, and voids their leases.
pub async fn pause_due_conversations(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<PausedConversation>> {
    run!(tx, PAUSE_DUE, [now], fetch_all as PausedConversation)
}

/// Any one secret, to try a master key on.
pub async fn any_secret(conn: &mut Conn<'_>) -> Result<Option<StoredSecret>> {
    run!(conn, ANY_SECRET, [], fetch_optional as StoredSecret)
}

/// True if a stored secret was encrypted with another master key.
pub async fn has_secrets_of_another_key(conn: &mut Conn<'_>, kek_id: &str) -> Result<bool> {
    Ok(run!(conn, OTHER_KEY, [kek_id], fetch_optional as (String,))?.is_some())
}

/// Keys of all projects after this one, in the order of project and age.
pub async fn api_keys(conn: &mut Conn<'_>, after: (ProjectId, ApiKeyId), limit: i64) -> Result<Vec<ListedKey>> {
    run!(conn, API_KEYS, [after.0, after.1, limit], fetch_all as ListedKey)
}

/// For the operator's commands.
pub async fn project_of_key(conn: &mut Conn<'_>, id: ApiKeyId) -> Result<Option<ProjectId>> {
    let row = run!(conn, PROJECT_OF_KEY, [id], fetch_optional as (ProjectId,))?;
    Ok(row.map(|(project,)| project))
}

/// Work that was in progress at a death of a process, parked or not.
pub async fn suspects(conn: &mut Conn<'_>) -> Result<Vec<SuspectRow>> {
    run!(conn, SUSPECTS, [], fetch_all as SuspectRow)
}

/// Voids all leases, so that a node that is certainly alone need not wait for those of its earlier
/// process. Raises the epochs: what still runs in that process can write nothing.
pub async fn void_all_leases(tx: &mut Tx<'_>) -> Result<()> {
    run!(tx, VOID_CONVERSATIONS, [], execute)?;
    run!(tx, VOID_OUTBOX, [], execute)?;
    run!(tx, VOID_HOOKS, [], execute)?;
    run!(tx, VOID_JOBS, [], execute).map(drop)
}

/// Voids leases whose owner begins with `prefix`: those of a node's earlier processes. A job
/// that takes one transaction has no owner and leaves no lease.
pub async fn void_leases_of(tx: &mut Tx<'_>, prefix: &str) -> Result<()> {
    run!(tx, VOID_CONVERSATIONS_OF, [prefix], execute)?;
    run!(tx, VOID_OUTBOX_OF, [prefix], execute)?;
    run!(tx, VOID_HOOKS_OF, [prefix], execute)?;
    run!(tx, VOID_JOBS_OF, [prefix], execute).map(drop)
}

/// The clock that leases and the order of events use.
pub async fn database_time(conn: &mut Conn<'_>) -> Result<Timestamp> {
    Ok(run!(conn, DATABASE_TIME, [], fetch_one as (Timestamp,))?.0)
}

/// Events of all projects after this one, in the order of their recording.
pub async fn events_after(conn: &mut Conn<'_>, after: (Timestamp, Uuid), limit: i64) -> Result<Vec<EventRow>> {
    run!(conn, EVENTS_AFTER, [after.0, after.1, limit], fetch_all as EventRow)
}

/// Deletes the oldest events that were recorded before a time, at most `limit`. Returns their
/// number.
pub async fn delete_events_before(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64> {
    run!(tx, DELETE_EVENTS, [before, limit], execute)
}
