//! Sandbox sessions: one live session for each phone and project.

use crate::{counters, db::{Conn, Counter, Result, Scope, Tx, rows, run, statements, stored_words}};
use domain::{Timestamp, ids::{AgentId, ProjectId, SandboxSessionId}, sandbox::SessionStatus};

stored_words!(SessionStatus);

rows! {
    #[derive(Debug, Clone)]
    pub struct SandboxSessionRow {
        pub id: SandboxSessionId,
        /// The tester's number, `+` and digits.
        pub phone: String,
        /// One key for all of WhatsApp's spellings of the number.
        pub phone_canonical: String,
        pub agent_id: AgentId,
        pub code: String,
        pub status: SessionStatus,
        pub activated_at: Option<Timestamp>,
        pub expires_at: Timestamp,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO sandbox_sessions (project_id, id, phone, phone_canonical, agent_id, code, status, activated_at, expires_at, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"];
    LIVE = ["SELECT ", SandboxSessionRow, " \
             FROM sandbox_sessions WHERE project_id = $1 AND phone_canonical = $2 AND status IN ('pending_activation', 'active')"];
    SET = ["UPDATE sandbox_sessions SET status = $3, activated_at = $4, expires_at = $5, updated_at = $6 WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM sandbox_sessions WHERE project_id = $1 AND id = $2"];
    OF_AGENT = ["SELECT ", SandboxSessionRow, " \
                 FROM sandbox_sessions WHERE project_id = $1 AND agent_id = $2"];
    FIND = ["SELECT ", SandboxSessionRow, " \
             FROM sandbox_sessions WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT ", SandboxSessionRow, " \
             FROM sandbox_sessions WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
}

/// [`crate::Error::Conflict`] if the phone has a pending or active session.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, s: &SandboxSessionRow) -> Result<()> {
    run!(tx, INSERT, [project, s.id, s.phone, s.phone_canonical, s.agent_id, s.code, s.status, s.activated_at,
        s.expires_at, s.created_at, s.updated_at], execute)?;
    counters::add(tx, project, Counter::SandboxSessions, s.id.uuid(), 1);
    Ok(())
}

/// The pending or active session of a phone.
pub async fn live(conn: &mut Conn<'_>, project: ProjectId, phone_canonical: &str) -> Result<Option<SandboxSessionRow>> {
    run!(conn, LIVE, [project, phone_canonical], fetch_optional as SandboxSessionRow)
}

pub async fn set(
    s: &mut Scope<'_, '_>,
    id: SandboxSessionId,
    status: SessionStatus,
    activated_at: Option<Timestamp>,
    expires_at: Timestamp,
) -> Result<()> {
    let (project, now) = (s.project, s.now);
    run!(s, SET, [project, id, status, activated_at, expires_at, now], execute).map(drop)
}

/// Its directory entries must be gone.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: SandboxSessionId) -> Result<()> {
    if run!(tx, DELETE, [project, id], execute)? == 1 {
        counters::add(tx, project, Counter::SandboxSessions, id.uuid(), -1);
    }
    Ok(())
}

/// All sessions of an agent, also the expired ones.
pub async fn of_agent(conn: &mut Conn<'_>, project: ProjectId, agent: AgentId) -> Result<Vec<SandboxSessionRow>> {
    run!(conn, OF_AGENT, [project, agent], fetch_all as SandboxSessionRow)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: SandboxSessionId) -> Result<Option<SandboxSessionRow>> {
    run!(conn, FIND, [project, id], fetch_optional as SandboxSessionRow)
}

/// A page of sessions, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<SandboxSessionRow>, i64)> {
    let total = counters::length(conn, project, Counter::SandboxSessions).await?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = run!(conn, LIST, [project, limit, offset], fetch_all as SandboxSessionRow)?;
    Ok((rows, total))
}
