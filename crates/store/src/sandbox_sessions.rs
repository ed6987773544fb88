//! Sandbox sessions: one live session for each phone and project.

use crate::{Conn, Result, Tx, counters::{self, List}, db::row::rows, db::sql::{run, statements}};
use domain::{Timestamp, ids::{AgentId, ProjectId, SandboxSessionId}};

rows! {
    /// A stored session.
    #[derive(Debug, Clone)]
    pub struct SandboxSessionRow {
        /// Its id.
        pub id: SandboxSessionId,
        /// The tester's number, `+` and digits.
        pub phone: String,
        /// The key under which WhatsApp's spellings of it meet.
        pub phone_canonical: String,
        /// The agent that answers.
        pub agent_id: AgentId,
        /// What the tester sends.
        pub code: String,
        /// `pending_activation`, `active` or `expired`.
        pub status: String,
        /// When the code came.
        pub activated_at: Option<i64>,
        /// When it is over.
        pub expires_at: Timestamp,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it changed.
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO sandbox_sessions (project_id, id, phone, phone_canonical, agent_id, code, status, activated_at, expires_at, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"];
    LIVE = ["SELECT id, phone, phone_canonical, agent_id, code, status, activated_at, expires_at, created_at, updated_at \
             FROM sandbox_sessions WHERE project_id = $1 AND phone_canonical = $2 AND status IN ('pending_activation', 'active')"];
    SET = ["UPDATE sandbox_sessions SET status = $3, activated_at = $4, expires_at = $5, updated_at = $6 WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT id, phone, phone_canonical, agent_id, code, status, activated_at, expires_at, created_at, updated_at \
             FROM sandbox_sessions WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT id, phone, phone_canonical, agent_id, code, status, activated_at, expires_at, created_at, updated_at \
             FROM sandbox_sessions WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"];
}

/// Stores a session; a second live one for the same phone is refused.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, s: &SandboxSessionRow) -> Result<()> {
    let times = [s.expires_at.micros(), s.created_at.micros(), s.updated_at.micros()];
    let texts = (&s.phone, &s.phone_canonical, &s.code, &s.status);
    run!(tx, INSERT, [project.uuid(), s.id.uuid(), texts.0, texts.1, s.agent_id.uuid(), texts.2, texts.3, s.activated_at, times[0],
        times[1], times[2]], execute)?;
    counters::grew(tx, project, List::SandboxSessions, s.id.uuid(), 1);
    Ok(())
}

/// The pending or active session of a phone.
pub async fn live(conn: &mut Conn<'_>, project: ProjectId, phone_canonical: &str) -> Result<Option<SandboxSessionRow>> {
    run!(conn, LIVE, [project.uuid(), phone_canonical], fetch_optional as SandboxSessionRow)
}

/// Moves a session to a status.
pub async fn set(
    tx: &mut Tx<'_>,
    (project, id): (ProjectId, SandboxSessionId),
    status: &str,
    activated_at: Option<i64>,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    run!(tx, SET, [project.uuid(), id.uuid(), status, activated_at, expires_at.micros(), now.micros()], execute).map(drop)
}

/// The session of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: SandboxSessionId) -> Result<Option<SandboxSessionRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as SandboxSessionRow)
}

/// A page of sessions, newest first, and how many there are.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<SandboxSessionRow>, i64)> {
    let total = counters::length(conn, project, List::SandboxSessions).await?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = run!(conn, LIST, [project.uuid(), limit, offset], fetch_all as SandboxSessionRow)?;
    Ok((rows, total))
}
