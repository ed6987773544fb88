//! Messages to the shared sandbox number: a code activates a session, the phone of an active
//! session talks to its agent, and everyone else gets a short answer
//! (docs/spec/whatsapp-cloud-api.md 5.1).

use super::{
    changes,
    early::Writer,
    echoes,
    messages::{ConversationOwner, is_first, sender_phone, store_and_queue, store_in_conversation},
    sandbox_answers::{Answer, sentence},
};
use crate::{
    Context,
    context::PLATFORM_PROJECT,
    mailbox::deliver,
    outbox::{EntryContent, NewEntry, enqueue},
    sandbox,
};
use domain::{
    Id, Span,
    ids::{ConversationId, ProjectId},
    message::{Content, MessageOrigin},
    message_change,
    phone::Phone,
    sandbox::{SessionStatus, code_in},
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use store::{
    Result, Tx,
    conversations::ConversationRow,
    executions, outbox, projects,
    sandbox_sessions::{self, SandboxSessionRow},
    unscoped::{self, DirectoryKind},
};

/// The purpose of a message to the shared number.
enum Purpose {
    /// The session's own phone sent its code.
    Activate(ProjectId, SandboxSessionRow),
    /// The phone of an active session talks to its agent.
    Talk(ProjectId, SandboxSessionRow),
    /// It gets an automatic answer.
    Explain(Answer),
}

pub(super) async fn store(ctx: &Context, tx: &mut Tx<'_>, message: &InboundMessage) -> Result<()> {
    // Deduplicated per number, not per project: a repeated delivery must not reach a session, or a
    // project, that was activated after the first one.
    if !is_first(ctx, tx, PLATFORM_PROJECT, message).await? {
        return Ok(());
    }
    let phone = sender_phone(message);
    if message_change::is_change(&message.kind) {
        // The text of an edit activates nothing.
        let session = session_of(ctx, tx, phone.as_ref()).await?;
        let (project, talks) = session.map_or((PLATFORM_PROJECT, false), |(project, _)| (project, true));
        return changes::store(ctx, tx, (project, PLATFORM_PROJECT), talks, message, Writer::Contact).await;
    }
    let purpose = purpose(ctx, tx, phone.as_ref(), message).await?;
    let language = phone.as_ref().map_or("en", Phone::language);
    match purpose {
        Purpose::Talk(project, session) => {
            let owner = ConversationOwner { project, config: None, customer: None, agent: Some(session.agent_id) };
            store_and_queue(ctx, tx, &owner, true, message).await
        }
        Purpose::Activate(project, session) => {
            sandbox::activate(ctx, tx, project, &session).await?;
            let key = format!("sandbox:{}:{}", session.id, message.wamid);
            let owner = ConversationOwner { project, config: None, customer: None, agent: Some(session.agent_id) };
            answer_with(ctx, tx, owner, message, &key, Answer::Activated, language).await
        }
        Purpose::Explain(answer) => {
            let project = platform_project(ctx, tx).await?;
            // One explanation an hour: two machines must not answer each other forever.
            let hour = ctx.now().micros() / Span::from_hours(1).micros();
            let from = message.from.as_deref().or(message.user_id.as_deref()).unwrap_or_default();
            let key = match answer {
                Answer::NoSession => format!("sandbox:help:{from}:{hour}"),
                _ => format!("sandbox:help:{}", message.wamid),
            };
            let owner = ConversationOwner { project, config: None, customer: None, agent: None };
            answer_with(ctx, tx, owner, message, &key, answer, language).await
        }
    }
}

/// Stores a message that was written on the phone of the shared number, to a phone with an active
/// session. Those to other phones are not stored.
pub(super) async fn store_echo(
    ctx: &Context,
    tx: &mut Tx<'_>,
    echo: &InboundMessage,
) -> Result<Option<ConversationId>> {
    if !is_first(ctx, tx, PLATFORM_PROJECT, echo).await? {
        return Ok(None);
    }
    let Some((project, session)) = session_of(ctx, tx, sender_phone(echo).as_ref()).await? else { return Ok(None) };
    if message_change::is_change(&echo.kind) {
        let projects = (project, PLATFORM_PROJECT);
        return changes::store(ctx, tx, projects, true, echo, Writer::Phone).await.map(|()| None);
    }
    let owner = ConversationOwner { project, config: None, customer: None, agent: Some(session.agent_id) };
    echoes::store(ctx, tx, &owner, echo).await
}

/// The project of a phone's active session.
pub(super) async fn project_of(ctx: &Context, tx: &mut Tx<'_>, phone: Option<&Phone>) -> Result<Option<ProjectId>> {
    Ok(session_of(ctx, tx, phone).await?.map(|(project, _)| project))
}

/// Owns messages from senders without a session.
pub(super) async fn platform_project(ctx: &Context, tx: &mut Tx<'_>) -> Result<ProjectId> {
    projects::insert(tx, PLATFORM_PROJECT, "sandbox", ctx.now()).await?;
    Ok(PLATFORM_PROJECT)
}

async fn purpose(ctx: &Context, tx: &mut Tx<'_>, phone: Option<&Phone>, message: &InboundMessage) -> Result<Purpose> {
    let now = ctx.now();
    let text = message.text.as_deref().unwrap_or_default();
    let code = code_in(text);
    if let Some(code) = &code
        && let Some(pointer) = unscoped::look_up(tx, DirectoryKind::SandboxCode, code).await?
        && let Some(session) = sandbox_sessions::find(tx, pointer.project_id, Id::from_uuid(pointer.object_id)).await?
    {
        let Some(phone) = phone else { return Ok(Purpose::Explain(Answer::HiddenNumber)) };
        if session.phone_canonical != phone.canonical() {
            return Ok(Purpose::Explain(Answer::NotYourCode));
        }
        let live = sandbox::is_live(&session, SessionStatus::PendingActivation, now)
            || sandbox::is_live(&session, SessionStatus::Active, now);
        return Ok(if live {
            Purpose::Activate(pointer.project_id, session)
        } else {
            Purpose::Explain(Answer::Expired)
        });
    }
    let Some(phone) = phone else { return Ok(Purpose::Explain(Answer::HiddenNumber)) };
    if let Some((project, session)) = session_of(ctx, tx, Some(phone)).await? {
        return Ok(Purpose::Talk(project, session));
    }
    Ok(Purpose::Explain(if code.is_some() { Answer::UnknownCode } else { Answer::NoSession }))
}

/// The active session of a phone.
async fn session_of(
    ctx: &Context,
    tx: &mut Tx<'_>,
    phone: Option<&Phone>,
) -> Result<Option<(ProjectId, SandboxSessionRow)>> {
    if let Some(phone) = phone
        && let Some(pointer) = unscoped::look_up(tx, DirectoryKind::SandboxPhone, phone.canonical()).await?
        && let Some(session) = sandbox_sessions::find(tx, pointer.project_id, Id::from_uuid(pointer.object_id)).await?
        && sandbox::is_live(&session, SessionStatus::Active, ctx.now())
    {
        return Ok(Some((pointer.project_id, session)));
    }
    Ok(None)
}

/// Stores the message and queues an automatic answer to it. `source_key` makes the answer unique.
async fn answer_with(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: ConversationOwner,
    message: &InboundMessage,
    source_key: &str,
    answer: Answer,
    language: &str,
) -> Result<()> {
    let project = owner.project;
    let Some((conversation, _)) = store_in_conversation(ctx, tx, &owner, message).await? else { return Ok(()) };
    if answer == Answer::Activated {
        stop_other_agent(ctx, tx, project, &conversation).await?;
    }
    if outbox::is_known(tx, project, source_key).await? {
        return Ok(());
    }
    let content = EntryContent::Agent(Content::Text(sentence(answer, language).to_owned()));
    let entry = NewEntry {
        content: &content,
        shown: None,
        origin: MessageOrigin::Sandbox,
        author: None,
        source_key,
        waiting: None,
        outside_window: None,
    };
    // It cannot be refused: the sender wrote a moment ago, so the service window is open.
    enqueue(ctx, tx, project, &conversation, &entry, ctx.now()).await?.map_or(Ok(()), |_| Ok(()))
}

/// A session with another agent starts over: the earlier agent's execution is stopped.
async fn stop_other_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
) -> Result<()> {
    let Some(id) = conversation.execution_id else { return Ok(()) };
    let execution = executions::find(tx, project, id).await?;
    if execution.is_none_or(|row| Some(row.agent_id) == conversation.agent_id) {
        return Ok(());
    }
    let key = format!("stop:{id}");
    let input = Input::Stop { id: key.clone(), reason: "another agent was activated".into() };
    deliver(tx, project, conversation, &key, &input, ctx.now()).await
}
