//! Sandbox sessions: created by the API, activated by a code from the session's phone, expired
//! after a day.
//!
//! One shared number serves all projects. `directory` maps a code and a phone to their session;
//! both entries change in the transaction that changes the session.

use crate::{Context, events, mailbox::deliver};
use domain::{
    Id, Timestamp,
    event::Event,
    ids::{AgentId, ConversationId, ProjectId, SandboxSessionId},
    job::JobKind,
    phone::{self, Phone},
    sandbox::{CODE_LENGTH, LIFETIME, SessionStatus, code_from},
};
use engine::Input;
use serde_json::json;
use store::{
    Error, Result, Tx, conversations, executions,
    jobs::{self, NewJob},
    sandbox_sessions::{self, SandboxSessionRow},
    unscoped::{self, DirectoryKind, Pointer},
};

/// Live executions of an agent among which those of a phone are looked for.
const SEARCHED: i64 = 1_000;

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
        end(ctx, tx, project, &older).await?;
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
    append_event(ctx, tx, project, session.id, session.status).await?;
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
        end(ctx, tx, other.project_id, &older).await?;
    }
    let expires_at = now + LIFETIME;
    sandbox_sessions::set(&mut tx.scope(project, now), session.id, SessionStatus::Active, Some(now), expires_at)
        .await?;
    unscoped::point(tx, DirectoryKind::SandboxPhone, &session.phone_canonical, project, session.id.uuid()).await?;
    append_event(ctx, tx, project, session.id, SessionStatus::Active).await?;
    schedule_end(ctx, tx, project, session.id, expires_at).await
}

async fn append_event(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: SandboxSessionId,
    status: SessionStatus,
) -> Result<()> {
    let body = json!({"status": status.as_str()});
    events::append(ctx, tx, project, Event::SandboxSessionUpdated, id.uuid(), &body).await
}

async fn end(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, session: &SandboxSessionRow) -> Result<()> {
    let now = ctx.now();
    let (expired, expires_at) = (SessionStatus::Expired, session.expires_at.min(now));
    sandbox_sessions::set(&mut tx.scope(project, now), session.id, expired, session.activated_at, expires_at).await?;
    append_event(ctx, tx, project, session.id, expired).await?;
    let pointer = Pointer { project_id: project, object_id: session.id.uuid() };
    // The code stays, so that a late sender gets "expired" instead of "unknown".
    unscoped::forget(tx, DirectoryKind::SandboxPhone, &session.phone_canonical, pointer).await
}

/// Stops the executions of the session's agent with its phone. Returns their conversations.
pub async fn stop(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    session: &SandboxSessionRow,
    reason: &str,
) -> Result<Vec<ConversationId>> {
    let Some(number) = ctx.sandbox.as_ref().map(|sandbox| sandbox.phone_number_id.clone()) else {
        return Ok(Vec::new());
    };
    let mut stopped = Vec::new();
    for execution in executions::live_of_agent(tx, project, session.agent_id, SEARCHED).await? {
        let Some(conversation) = conversations::find(tx, project, execution.conversation_id).await? else { continue };
        let phone = conversation.phone_number.as_deref().and_then(|number| phone::normalise(number).ok());
        let is_own = phone.is_some_and(|phone| phone.canonical() == session.phone_canonical);
        if conversation.phone_number_id != number || !is_own {
            continue;
        }
        let now = ctx.now();
        let Some(conversation) = conversations::next_seq(tx, project, conversation.id, now).await? else { continue };
        let key = format!("stop:{}", ctx.new_uuid());
        let input = Input::Stop { id: key.clone(), reason: reason.into() };
        deliver(tx, project, &conversation, &key, &input, now).await?;
        stopped.push(conversation.id);
    }
    Ok(stopped)
}

/// Ends a session and removes it with its code.
pub async fn delete(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, session: &SandboxSessionRow) -> Result<()> {
    end(ctx, tx, project, session).await?;
    let pointer = Pointer { project_id: project, object_id: session.id.uuid() };
    unscoped::forget(tx, DirectoryKind::SandboxCode, &session.code, pointer).await?;
    sandbox_sessions::delete(tx, project, session.id).await
}

/// Ends a session that has expired; a session that was renewed since stays.
pub async fn expire(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, payload: &str) -> Result<()> {
    let id = payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a session id".into() })?;
    let Some(session) = sandbox_sessions::find(tx, project, id).await? else { return Ok(()) };
    if session.expires_at <= ctx.now() && session.status != SessionStatus::Expired {
        end(ctx, tx, project, &session).await?;
    }
    Ok(())
}

/// Checks the time as well as the status: the job that expires sessions may be late.
pub fn is_live(session: &SandboxSessionRow, status: SessionStatus, now: Timestamp) -> bool {
    session.status == status && session.expires_at > now
}
