//! Agents, and the immutable snapshots of them that executions pin.

use crate::{counters, db::{Conn, Counter, Result, Scope, Tx, rows, run, statements, stored_words}, mcp_pins};
use domain::{words, Timestamp, ids::{AgentId, ContactId, ProjectId, SnapshotId}};

words! {
    /// Webhooks without a mock, in test mode.
    pub enum WebhooksInTests {
        /// The request is sent.
        Request = "request",
        /// The call gets an error.
        MockOnly = "mock_only",
    }
}
stored_words!(WebhooksInTests);

rows! {
    #[derive(Debug, Clone)]
    pub struct AgentRow {
        pub id: AgentId,
        pub name: String,
        pub description: Option<String>,
        /// Applies to every node.
        pub system_prompt: Option<String>,
        /// A burst of messages is answered after a pause of this length.
        pub message_debounce_seconds: i64,
        /// 1 or 2 (docs/spec/engine.md 2.6).
        pub agent_version: i64,
        /// Canonical graph JSON.
        pub graph: String,
        /// JSON; the default model if none.
        pub llm_config: Option<String>,
        /// JSON of the limits that the agent overrides.
        pub limits: Option<String>,
        /// JSON list of optional tools that are on.
        pub enabled_tools: Option<String>,
        /// None: `Request`.
        pub webhooks_in_tests: Option<WebhooksInTests>,
        /// The snapshot of the current content.
        pub snapshot_id: SnapshotId,
        /// Raised by each change.
        pub version: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// An agent in a list, without prompt and graph.
    #[derive(Debug, Clone)]
    pub struct AgentSummaryRow {
        pub id: AgentId,
        pub name: String,
        pub description: Option<String>,
        /// Raised by each change.
        pub version: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// An agent's content at one time.
    #[derive(Debug, Clone)]
    pub struct SnapshotRow {
        pub id: SnapshotId,
        pub agent_id: AgentId,
        /// JSON.
        pub content: String,
        pub created_at: Timestamp,
    }
}

rows! {
    /// A snapshot in a list, without its content.
    #[derive(Debug, Clone)]
    pub struct SnapshotSummaryRow {
        pub id: SnapshotId,
        pub created_at: Timestamp,
    }
}

statements! {
    FIND_SNAPSHOT = ["SELECT ", SnapshotRow, " FROM agent_snapshots WHERE project_id = $1 AND id = $2"];
    INSERT = ["INSERT INTO agents (project_id, id, name, description, system_prompt, message_debounce_seconds, agent_version, graph, \
               snapshot_id, version, created_at, updated_at, llm_config, limits, enabled_tools, webhooks_in_tests) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10, $11, $12, $13, $14)"];
    UPDATE = ["UPDATE agents SET name = $3, description = $4, system_prompt = $5, message_debounce_seconds = $6, graph = $7, \
               snapshot_id = $8, version = version + 1, updated_at = $9, agent_version = $10, llm_config = $11, limits = $12, \
               enabled_tools = $13, webhooks_in_tests = $14 WHERE project_id = $1 AND id = $2"];
    // The prompts go; snapshots stay with the executions that pin them.
    DELETE = ["UPDATE agents SET deleted_at = $3, updated_at = $3, version = version + 1, description = NULL, system_prompt = NULL, \
               graph = '{}', llm_config = NULL WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
    LOCK = ["UPDATE agents SET updated_at = updated_at WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL \
             RETURNING ", AgentRow];
    FIND = ["SELECT ", AgentRow, " FROM agents WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
    SUMMARY = ["SELECT ", AgentSummaryRow, " FROM agents WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
    LIST = ["SELECT ", AgentSummaryRow, " FROM agents WHERE project_id = $1 AND deleted_at IS NULL \
             ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
    DEBOUNCE = ["SELECT message_debounce_seconds FROM agents WHERE project_id = $1 AND id = $2"];
    LIMITS = ["SELECT limits FROM agents WHERE project_id = $1 AND id = $2"];
    INSERT_SNAPSHOT = ["INSERT INTO agent_snapshots (project_id, id, agent_id, content_hash, content, created_at) \
                        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project_id, agent_id, content_hash) \
                        DO UPDATE SET content_hash = excluded.content_hash RETURNING id"];
    SNAPSHOT = ["SELECT content FROM agent_snapshots WHERE project_id = $1 AND id = $2"];
    CURRENT_SNAPSHOT = ["SELECT snapshot_id FROM agents WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
    SNAPSHOTS = ["SELECT ", SnapshotSummaryRow, " FROM agent_snapshots WHERE project_id = $1 AND agent_id = $2 \
                  ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT_SNAPSHOTS = ["SELECT count(*) FROM agent_snapshots WHERE project_id = $1 AND agent_id = $2"];
    SNAPSHOT_FOR = ["SELECT snapshot_id, (SELECT about_version FROM contacts WHERE project_id = $1 AND id = $3), \
                     (SELECT agent_messages FROM projects WHERE id = $1) \
                     FROM agents WHERE project_id = $1 AND id = $2 AND deleted_at IS NULL"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, row: &AgentRow) -> Result<()> {
    run!(tx, INSERT, [project, row.id, row.name, row.description, row.system_prompt, row.message_debounce_seconds,
        row.agent_version, row.graph, row.snapshot_id, row.created_at, row.llm_config, row.limits, row.enabled_tools,
        row.webhooks_in_tests], execute)?;
    counters::add(tx, project, Counter::Agents, row.id.uuid(), 1);
    Ok(())
}

/// Saves an agent; the next lists of its MCP servers are pinned. The row must have been read in the
/// same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, row: &AgentRow) -> Result<()> {
    mcp_pins::delete(tx, project, row.id).await?;
    run!(tx, UPDATE, [project, row.id, row.name, row.description, row.system_prompt, row.message_debounce_seconds,
        row.graph, row.snapshot_id, row.updated_at, row.agent_version, row.llm_config, row.limits, row.enabled_tools,
        row.webhooks_in_tests], execute).map(drop)
}

/// Deletes an agent; the caller must have ended everything that needs it. `false` if it is gone.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: AgentId, now: Timestamp) -> Result<bool> {
    let is_deleted = run!(tx, DELETE, [project, id, now], execute)? == 1;
    if is_deleted {
        mcp_pins::delete(tx, project, id).await?;
        counters::add(tx, project, Counter::Agents, id.uuid(), -1);
    }
    Ok(is_deleted)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: AgentId) -> Result<Option<AgentRow>> {
    run!(conn, FIND, [project, id], fetch_optional as AgentRow)
}

/// Reads and locks an agent until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: AgentId) -> Result<Option<AgentRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as AgentRow)
}

/// An agent without prompt and graph.
pub async fn summary(conn: &mut Conn<'_>, project: ProjectId, id: AgentId) -> Result<Option<AgentSummaryRow>> {
    run!(conn, SUMMARY, [project, id], fetch_optional as AgentSummaryRow)
}

/// A page of the project's agents, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<AgentSummaryRow>, i64)> {
    let total = counters::length(conn, project, Counter::Agents).await?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = run!(conn, LIST, [project, limit, offset], fetch_all as AgentSummaryRow)?;
    Ok((rows, total))
}

pub async fn debounce_seconds(conn: &mut Conn<'_>, project: ProjectId, id: AgentId) -> Result<Option<i64>> {
    Ok(run!(conn, DEBOUNCE, [project, id], fetch_optional as (i64,))?.map(|(seconds,)| seconds))
}

/// JSON of the limits that the agent overrides.
pub async fn limits(conn: &mut Conn<'_>, project: ProjectId, id: AgentId) -> Result<Option<String>> {
    Ok(run!(conn, LIMITS, [project, id], fetch_optional as (Option<String>,))?.and_then(|(limits,)| limits))
}

/// Stores a snapshot, or finds the agent's earlier one of the same hash.
pub async fn ensure_snapshot(
    s: &mut Scope<'_, '_>,
    agent: AgentId,
    new_id: SnapshotId,
    content_hash: &[u8],
    content: &str,
) -> Result<SnapshotId> {
    let (project, now) = (s.project, s.now);
    let (id,) = run!(s, INSERT_SNAPSHOT, [project, new_id, agent, content_hash, content, now], fetch_one as (SnapshotId,))?;
    if id == new_id {
        let bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
        counters::add(s, project, Counter::StoredBytes, id.uuid(), bytes);
    }
    Ok(id)
}

pub async fn find_snapshot(conn: &mut Conn<'_>, project: ProjectId, id: SnapshotId) -> Result<Option<SnapshotRow>> {
    run!(conn, FIND_SNAPSHOT, [project, id], fetch_optional as SnapshotRow)
}

/// A page of an agent's snapshots, newest first, and their number.
pub async fn snapshots(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent: AgentId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<SnapshotSummaryRow>, i64)> {
    let rows = run!(conn, SNAPSHOTS, [project, agent, limit, offset], fetch_all as SnapshotSummaryRow)?;
    let (total,) = run!(conn, COUNT_SNAPSHOTS, [project, agent], fetch_one as (i64,))?;
    Ok((rows, total))
}

pub async fn snapshot(conn: &mut Conn<'_>, project: ProjectId, id: SnapshotId) -> Result<Option<String>> {
    Ok(run!(conn, SNAPSHOT, [project, id], fetch_optional as (String,))?.map(|(content,)| content))
}

pub async fn current_snapshot(conn: &mut Conn<'_>, project: ProjectId, id: AgentId) -> Result<Option<SnapshotId>> {
    Ok(run!(conn, CURRENT_SNAPSHOT, [project, id], fetch_optional as (SnapshotId,))?.map(|(id,)| id))
}

/// The current snapshot, the version of the contact context, and the project's settings of messages.
pub async fn snapshot_for(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: AgentId,
    contact: ContactId,
) -> Result<Option<(SnapshotId, i64, Option<String>)>> {
    let row = run!(tx, SNAPSHOT_FOR, [project, id, contact], fetch_optional as (SnapshotId, Option<i64>, Option<String>))?;
    Ok(row.map(|(id, about, settings)| (id, about.unwrap_or_default(), settings)))
}
