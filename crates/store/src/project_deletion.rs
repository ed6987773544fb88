//! Deletes all rows of a project, a few in each transaction, so that other projects' writes pass
//! between.
//!
//! A table with a project is listed here once, before the tables that it references; a test compares
//! the list with the schema. Limits are written into the statements, because PostgreSQL plans them
//! without their values.

use crate::db::{Result, Sql, Tx, run, statements};
use domain::ids::ProjectId;

statements! {
    DIRECTORY = ["DELETE FROM directory WHERE project_id = $1 AND (kind, value) IN \
        (SELECT kind, value FROM directory WHERE project_id = $1 LIMIT 50)"];
    JOBS = ["DELETE FROM jobs WHERE project_id = $1 AND id IN \
        (SELECT id FROM jobs WHERE project_id = $1 LIMIT 50)"];
    TIMERS = ["DELETE FROM timers WHERE project_id = $1 AND id IN \
        (SELECT id FROM timers WHERE project_id = $1 LIMIT 50)"];
    MAILBOX = ["DELETE FROM mailbox WHERE project_id = $1 AND (conversation_id, seq) IN \
        (SELECT conversation_id, seq FROM mailbox WHERE project_id = $1 LIMIT 50)"];
    OUTBOX_ATTEMPTS = ["DELETE FROM outbox_attempts WHERE project_id = $1 AND (outbox_id, attempt) IN \
        (SELECT outbox_id, attempt FROM outbox_attempts WHERE project_id = $1 LIMIT 50)"];
    OUTBOX = ["DELETE FROM outbox WHERE project_id = $1 AND id IN \
        (SELECT id FROM outbox WHERE project_id = $1 LIMIT 25)"];
    HOOK_SILENCES = ["DELETE FROM hook_silences WHERE project_id = $1 AND (endpoint_id, conversation_id) IN \
        (SELECT endpoint_id, conversation_id FROM hook_silences WHERE project_id = $1 LIMIT 50)"];
    HOOK_BATCHES = ["DELETE FROM hook_batches WHERE project_id = $1 AND (delivery_id, place) IN \
        (SELECT delivery_id, place FROM hook_batches WHERE project_id = $1 LIMIT 50)"];
    HOOK_ATTEMPTS = ["DELETE FROM hook_attempts WHERE project_id = $1 AND (delivery_id, attempt) IN \
        (SELECT delivery_id, attempt FROM hook_attempts WHERE project_id = $1 LIMIT 50)"];
    HOOK_DELIVERIES = ["DELETE FROM hook_deliveries WHERE project_id = $1 AND id IN \
        (SELECT id FROM hook_deliveries WHERE project_id = $1 LIMIT 50)"];
    HOOK_EVENTS = ["DELETE FROM hook_events WHERE project_id = $1 AND id IN \
        (SELECT id FROM hook_events WHERE project_id = $1 LIMIT 25)"];
    HOOK_ENDPOINTS = ["DELETE FROM hook_endpoints WHERE project_id = $1 AND id IN \
        (SELECT id FROM hook_endpoints WHERE project_id = $1 LIMIT 50)"];
    TEST_CHECKPOINTS = ["DELETE FROM test_checkpoints WHERE project_id = $1 AND id IN \
        (SELECT id FROM test_checkpoints WHERE project_id = $1 LIMIT 50)"];
    TEST_CHATS = ["DELETE FROM test_chats WHERE project_id = $1 AND id IN \
        (SELECT id FROM test_chats WHERE project_id = $1 LIMIT 50)"];
    TEST_RUN_STEPS = ["DELETE FROM test_run_steps WHERE project_id = $1 AND (run_id, step_no) IN \
        (SELECT run_id, step_no FROM test_run_steps WHERE project_id = $1 LIMIT 20)"];
    TEST_RUNS = ["DELETE FROM test_runs WHERE project_id = $1 AND id IN \
        (SELECT id FROM test_runs WHERE project_id = $1 LIMIT 20)"];
    TEST_CASES = ["DELETE FROM test_cases WHERE project_id = $1 AND id IN \
        (SELECT id FROM test_cases WHERE project_id = $1 LIMIT 50)"];
    TEST_SUITES = ["DELETE FROM test_suites WHERE project_id = $1 AND id IN \
        (SELECT id FROM test_suites WHERE project_id = $1 LIMIT 50)"];
    SANDBOX_SESSIONS = ["DELETE FROM sandbox_sessions WHERE project_id = $1 AND id IN \
        (SELECT id FROM sandbox_sessions WHERE project_id = $1 LIMIT 50)"];
    CONVERSATION_ASSIGNMENTS = ["DELETE FROM conversation_assignments WHERE project_id = $1 AND id IN \
        (SELECT id FROM conversation_assignments WHERE project_id = $1 LIMIT 50)"];
    INBOX_READS = ["DELETE FROM inbox_reads WHERE project_id = $1 AND (user_id, conversation_id) IN \
        (SELECT user_id, conversation_id FROM inbox_reads WHERE project_id = $1 LIMIT 50)"];
    DELETED_WAMIDS = ["DELETE FROM deleted_wamids WHERE project_id = $1 AND (conversation_id, wamid) IN \
        (SELECT conversation_id, wamid FROM deleted_wamids WHERE project_id = $1 LIMIT 50)"];
    WAITING_CHANGES = ["DELETE FROM waiting_changes WHERE project_id = $1 AND (phone_number_id, wamid) IN \
        (SELECT phone_number_id, wamid FROM waiting_changes WHERE project_id = $1 LIMIT 50)"];
    MESSAGES = ["DELETE FROM messages WHERE project_id = $1 AND (conversation_id, seq) IN \
        (SELECT conversation_id, seq FROM messages WHERE project_id = $1 LIMIT 25)"];
    WAMID_SEEN = ["DELETE FROM wamid_seen WHERE project_id = $1 AND (phone_number_id, wamid) IN \
        (SELECT phone_number_id, wamid FROM wamid_seen WHERE project_id = $1 LIMIT 50)"];
    HISTORY = ["DELETE FROM history WHERE project_id = $1 AND (execution_id, seq) IN \
        (SELECT execution_id, seq FROM history WHERE project_id = $1 LIMIT 25)"];
    JOURNAL = ["DELETE FROM journal WHERE project_id = $1 AND (execution_id, step_no) IN \
        (SELECT execution_id, step_no FROM journal WHERE project_id = $1 LIMIT 20)"];
    EXECUTIONS = ["DELETE FROM executions WHERE project_id = $1 AND id IN \
        (SELECT id FROM executions WHERE project_id = $1 LIMIT 20)"];
    CONVERSATIONS = ["DELETE FROM conversations WHERE project_id = $1 AND id IN \
        (SELECT id FROM conversations WHERE project_id = $1 LIMIT 25)"];
    CONTACT_NOTES = ["DELETE FROM contact_notes WHERE project_id = $1 AND id IN \
        (SELECT id FROM contact_notes WHERE project_id = $1 LIMIT 50)"];
    CONTACT_IDENTITIES = ["DELETE FROM contact_identities WHERE project_id = $1 AND (kind, scope, value) IN \
        (SELECT kind, scope, value FROM contact_identities WHERE project_id = $1 LIMIT 50)"];
    CONTACTS = ["DELETE FROM contacts WHERE project_id = $1 AND id IN \
        (SELECT id FROM contacts WHERE project_id = $1 LIMIT 25)"];
    AGENT_WHATSAPP_CONFIGS = ["DELETE FROM agent_whatsapp_configs WHERE project_id = $1 AND id IN \
        (SELECT id FROM agent_whatsapp_configs WHERE project_id = $1 LIMIT 50)"];
    MCP_PINS = ["DELETE FROM mcp_pins WHERE project_id = $1 AND (agent_id, node, server) IN \
        (SELECT agent_id, node, server FROM mcp_pins WHERE project_id = $1 LIMIT 50)"];
    AGENTS = ["DELETE FROM agents WHERE project_id = $1 AND id IN \
        (SELECT id FROM agents WHERE project_id = $1 LIMIT 10)"];
    AGENT_SNAPSHOTS = ["DELETE FROM agent_snapshots WHERE project_id = $1 AND id IN \
        (SELECT id FROM agent_snapshots WHERE project_id = $1 LIMIT 10)"];
    WHATSAPP_TEMPLATES = ["DELETE FROM whatsapp_templates WHERE project_id = $1 AND id IN \
        (SELECT id FROM whatsapp_templates WHERE project_id = $1 LIMIT 25)"];
    WHATSAPP_TEMPLATE_SYNCS = ["DELETE FROM whatsapp_template_syncs WHERE project_id = $1 AND id IN \
        (SELECT id FROM whatsapp_template_syncs WHERE project_id = $1 LIMIT 25)"];
    WHATSAPP_CONFIGS = ["DELETE FROM whatsapp_configs WHERE project_id = $1 AND id IN \
        (SELECT id FROM whatsapp_configs WHERE project_id = $1 LIMIT 50)"];
    SETUP_LINKS = ["DELETE FROM setup_links WHERE project_id = $1 AND id IN \
        (SELECT id FROM setup_links WHERE project_id = $1 LIMIT 50)"];
    CUSTOMERS = ["DELETE FROM customers WHERE project_id = $1 AND id IN \
        (SELECT id FROM customers WHERE project_id = $1 LIMIT 50)"];
    UPLOAD_PIECES = ["DELETE FROM upload_pieces WHERE project_id = $1 AND (upload_id, seq) IN \
        (SELECT upload_id, seq FROM upload_pieces WHERE project_id = $1 LIMIT 4)"];
    MODEL_PROVIDERS = ["DELETE FROM model_providers WHERE project_id = $1 AND id IN \
        (SELECT id FROM model_providers WHERE project_id = $1 LIMIT 200)"];
    SECRETS = ["DELETE FROM secrets WHERE project_id = $1 AND id IN \
        (SELECT id FROM secrets WHERE project_id = $1 LIMIT 50)"];
    CLI_ACCESS = ["DELETE FROM cli_access WHERE project_id = $1 AND holder IN \
        (SELECT holder FROM cli_access WHERE project_id = $1 LIMIT 50)"];
    INVITATIONS = ["DELETE FROM invitations WHERE project_id = $1 AND id IN \
        (SELECT id FROM invitations WHERE project_id = $1 LIMIT 50)"];
    API_KEYS = ["DELETE FROM api_keys WHERE project_id = $1 AND id IN \
        (SELECT id FROM api_keys WHERE project_id = $1 LIMIT 50)"];
    MEMBERSHIPS = ["DELETE FROM memberships WHERE project_id = $1 AND user_id IN \
        (SELECT user_id FROM memberships WHERE project_id = $1 LIMIT 50)"];
    IDEMPOTENCY = ["DELETE FROM idempotency WHERE project_id = $1 AND key IN \
        (SELECT key FROM idempotency WHERE project_id = $1 LIMIT 25)"];
    SUSPECTS = ["DELETE FROM suspects WHERE project_id = $1 AND (kind, subject_id) IN \
        (SELECT kind, subject_id FROM suspects WHERE project_id = $1 LIMIT 50)"];
    EVENTS = ["DELETE FROM events WHERE project_id = $1 AND (recorded_at, id) IN \
        (SELECT recorded_at, id FROM events WHERE project_id = $1 LIMIT 50)"];
    COUNTERS = ["DELETE FROM counters WHERE project_id = $1 AND (list, of_id, shard) IN \
        (SELECT list, of_id, shard FROM counters WHERE project_id = $1 LIMIT 50)"];
    AUDIT = ["DELETE FROM audit WHERE project_id = $1 AND id IN \
        (SELECT id FROM audit WHERE project_id = $1 LIMIT 50)"];
}

/// In the order of deletion: what starts work or routes requests comes first, and a table before
/// those that it references.
const TABLES: [(&str, Sql); 53] = [
    ("directory", DIRECTORY),
    ("jobs", JOBS),
    ("timers", TIMERS),
    ("mailbox", MAILBOX),
    ("outbox_attempts", OUTBOX_ATTEMPTS),
    ("outbox", OUTBOX),
    ("hook_silences", HOOK_SILENCES),
    ("hook_batches", HOOK_BATCHES),
    ("hook_attempts", HOOK_ATTEMPTS),
    ("hook_deliveries", HOOK_DELIVERIES),
    ("hook_events", HOOK_EVENTS),
    ("hook_endpoints", HOOK_ENDPOINTS),
    ("test_checkpoints", TEST_CHECKPOINTS),
    ("test_chats", TEST_CHATS),
    ("test_run_steps", TEST_RUN_STEPS),
    ("test_runs", TEST_RUNS),
    ("test_cases", TEST_CASES),
    ("test_suites", TEST_SUITES),
    ("sandbox_sessions", SANDBOX_SESSIONS),
    ("conversation_assignments", CONVERSATION_ASSIGNMENTS),
    ("inbox_reads", INBOX_READS),
    ("deleted_wamids", DELETED_WAMIDS),
    ("waiting_changes", WAITING_CHANGES),
    ("messages", MESSAGES),
    ("wamid_seen", WAMID_SEEN),
    ("history", HISTORY),
    ("journal", JOURNAL),
    ("executions", EXECUTIONS),
    ("conversations", CONVERSATIONS),
    ("contact_notes", CONTACT_NOTES),
    ("contact_identities", CONTACT_IDENTITIES),
    ("contacts", CONTACTS),
    ("agent_whatsapp_configs", AGENT_WHATSAPP_CONFIGS),
    ("mcp_pins", MCP_PINS),
    ("agents", AGENTS),
    ("agent_snapshots", AGENT_SNAPSHOTS),
    ("whatsapp_templates", WHATSAPP_TEMPLATES),
    ("whatsapp_template_syncs", WHATSAPP_TEMPLATE_SYNCS),
    ("whatsapp_configs", WHATSAPP_CONFIGS),
    ("setup_links", SETUP_LINKS),
    ("customers", CUSTOMERS),
    ("upload_pieces", UPLOAD_PIECES),
    ("model_providers", MODEL_PROVIDERS),
    ("secrets", SECRETS),
    ("cli_access", CLI_ACCESS),
    ("invitations", INVITATIONS),
    ("api_keys", API_KEYS),
    ("memberships", MEMBERSHIPS),
    ("idempotency", IDEMPOTENCY),
    ("suspects", SUSPECTS),
    ("events", EVENTS),
    ("counters", COUNTERS),
    ("audit", AUDIT),
];

/// Names of the tables from which [`delete_some`] deletes.
#[cfg(feature = "testing")]
pub fn tables() -> Vec<&'static str> {
    TABLES.iter().map(|(table, _)| *table).collect()
}

/// A table, and the number of rows that were deleted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    pub table: usize,
    pub name: &'static str,
    pub rows: u64,
}

/// Deletes some rows of the project from the first table that has any, beginning with the table of
/// this number. `None` if none has.
pub async fn delete_some(tx: &mut Tx<'_>, project: ProjectId, first: usize) -> Result<Option<Deleted>> {
    for (table, (name, sql)) in TABLES.iter().enumerate().skip(first) {
        let rows = run!(tx, sql, [project], execute)?;
        if rows > 0 {
            return Ok(Some(Deleted { table, name, rows }));
        }
    }
    Ok(None)
}
