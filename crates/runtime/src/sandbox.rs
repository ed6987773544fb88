//! Sandbox sessions: created by the API, activated by a code from the session's phone, expired
//! after a day.
//!
//! One shared number serves all projects. `directory` maps a code and a phone to their session;
//! both entries change in the transaction that changes the session.

use crate::Context;
use domain::{
    Id, Timestamp,
    ids::{AgentId, ProjectId, SandboxSessionId},
    job::JobKind,
    phone::Phone,
    sandbox::{CODE_LENGTH, LIFETIME, SessionStatus, code_from},
};
use store::{
    Error, Result, Tx,
    jobs::{self, NewJob},
    sandbox_sessions::{self, SandboxSessionRow},
    unscoped::{self, DirectoryKind, Pointer},
};

/// Creates a session and ends the phone's older one in this project.
pub async fn open(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    phone: &Phone,
    agent_id: AgentId,
) -> Result<SandboxSessionRow> {
    let now = ctx.now();
    if let Some(older) = sandbox_sessions::live(tx, project, phone.canonical()).await? {
        end(tx, project, &older, now).await?;
    }
    let session = SandboxSessionRow {
        id: ctx.new_id(),
        phone: phone.e164(),
        phone_canonical: phone.canonical().into(),
        agent_id,
        code: free_code(ctx, tx).await?,
        status: SessionStatus::PendingActivation,
        activated_at: None,
        expires_at: now + LIFETIME,
        created_at: now,
        updated_at: now,
    };
    sandbox_sessions::insert(tx, project, &session).await?;
    unscoped::point(tx, DirectoryKind::SandboxCode, &session.code, project, session.id.uuid()).await?;
    schedule_end(ctx, tx, project, session.id, session.expires_at).await?;
    Ok(session)
}

async fn free_code(ctx: &Context, tx: &mut Tx<'_>) -> Result<String> {
    loop {
        let mut random = [0; CODE_LENGTH * 4];
        ctx.fill_random(&mut random);
        let Some(code) = code_from(&random) else { continue };
        if unscoped::look_up(tx, DirectoryKind::SandboxCode, &code).await?.is_none() {
            return Ok(code);
        }
    }
}

async fn schedule_end(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: SandboxSessionId,
    at: Timestamp,
) -> Result<()> {
    let key = id.to_string();
    let job = NewJob { id: ctx.new_uuid(), kind: JobKind::SandboxSessionExpire, key: &key, payload: &key, run_at: at };
    jobs::put(&mut tx.scope(project, ctx.now()), job).await
}

/// Activates a session and ends the phone's active session, even one of another project.
pub async fn activate(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, session: &SandboxSessionRow) -> Result<()> {
    let now = ctx.now();
    if let Some(other) = unscoped::look_up(tx, DirectoryKind::SandboxPhone, &session.phone_canonical).await?
        && other.object_id != session.id.uuid()
        && let Some(older) = sandbox_sessions::find(tx, other.project_id, Id::from_uuid(other.object_id)).await?
    {
        end(tx, other.project_id, &older, now).await?;
    }
    let expires_at = now + LIFETIME;
    sandbox_sessions::set(&mut tx.scope(project, now), session.id, SessionStatus::Active, Some(now), expires_at)
        .await?;
    unscoped::point(tx, DirectoryKind::SandboxPhone, &session.phone_canonical, project, session.id.uuid()).await?;
    schedule_end(ctx, tx, project, session.id, expires_at).await
}

async fn end(tx: &mut Tx<'_>, project: ProjectId, session: &SandboxSessionRow, now: Timestamp) -> Result<()> {
    let (expired, expires_at) = (SessionStatus::Expired, session.expires_at.min(now));
    sandbox_sessions::set(&mut tx.scope(project, now), session.id, expired, session.activated_at, expires_at).await?;
    let pointer = Pointer { project_id: project, object_id: session.id.uuid() };
    // The code stays, so that a late sender gets "expired" instead of "unknown".
    unscoped::forget(tx, DirectoryKind::SandboxPhone, &session.phone_canonical, pointer).await
}

/// Ends a session that has expired; a session that was renewed since stays.
pub async fn expire(tx: &mut Tx<'_>, project: ProjectId, payload: &str, now: Timestamp) -> Result<()> {
    let id = payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a session id".into() })?;
    let Some(session) = sandbox_sessions::find(tx, project, id).await? else { return Ok(()) };
    if session.expires_at <= now && session.status != SessionStatus::Expired {
        end(tx, project, &session, now).await?;
    }
    Ok(())
}

/// Checks the time as well as the status: the job that expires sessions may be late.
pub fn is_live(session: &SandboxSessionRow, status: SessionStatus, now: Timestamp) -> bool {
    session.status == status && session.expires_at > now
}
