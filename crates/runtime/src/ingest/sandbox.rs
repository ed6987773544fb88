//! Messages to the shared sandbox number: a code activates a session, an active session's phone talks to its agent, and
//! everybody else gets one short sentence (whatsapp-cloud-api.md 5.1).

use super::{
    apply::platform,
    messages::{Place, converse, first, hear, sender},
};
use crate::{
    Context,
    context::PLATFORM_PROJECT,
    mailbox::mail,
    outbox::{Parcel, Said, enqueue},
    sandbox,
};
use domain::{
    Id, Span,
    ids::ProjectId,
    message::{Content, MessageOrigin},
    phone::Phone,
    sandbox::{SessionStatus, codes_in, is_code_like},
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use store::{
    Result, Tx,
    conversations::{self, ConversationRow},
    mailbox,
    sandbox_sessions::{self, SandboxSessionRow},
    unscoped::{self, DirectoryKind},
};

/// What a message to the shared number means.
enum Meaning {
    /// The session's own phone sent its code.
    Activates(ProjectId, SandboxSessionRow),
    /// Somebody in an active session talks to the agent.
    Talks(ProjectId, SandboxSessionRow),
    /// Nothing that can be acted on; the sentence says why.
    Answer(Answer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Activated,
    NotYourCode,
    HiddenNumber,
    Expired,
    UnknownCode,
    NoSession,
}

pub(super) async fn store(ctx: &Context, tx: &mut Tx<'_>, message: &InboundMessage) -> Result<()> {
    // Seen or not is asked of the number, whoever the message is for: a repeated delivery must not reach the session, or
    // the project, that was activated after the first one.
    if !first(ctx, tx, PLATFORM_PROJECT, message).await? {
        return Ok(());
    }
    let phone = sender(message);
    let meaning = understand(ctx, tx, phone.as_ref(), message).await?;
    let language = phone.as_ref().map_or("en", Phone::language);
    match meaning {
        Meaning::Talks(project, session) => {
            let place = Place { project, config: None, customer: None, agent: Some(session.agent_id) };
            let Some(conversation) = converse(ctx, tx, &place, message).await? else { return Ok(()) };
            hear(ctx, tx, project, &conversation, message).await
        }
        Meaning::Activates(project, session) => {
            sandbox::activate(ctx, tx, project, &session).await?;
            let key = format!("sandbox:{}:{}", session.id, message.wamid);
            say(
                ctx,
                tx,
                Place { project, config: None, customer: None, agent: Some(session.agent_id) },
                message,
                &key,
                Answer::Activated,
                language,
            )
            .await
        }
        Meaning::Answer(answer) => {
            let project = platform(ctx, tx).await?;
            // One explanation an hour: two machines must not talk to each other for ever.
            let hour = ctx.now().micros() / Span::from_hours(1).micros();
            let who = message.from.as_deref().or(message.user_id.as_deref()).unwrap_or_default();
            let key = match answer {
                Answer::NoSession => format!("sandbox:help:{who}:{hour}"),
                _ => format!("sandbox:help:{}", message.wamid),
            };
            say(ctx, tx, Place { project, config: None, customer: None, agent: None }, message, &key, answer, language)
                .await
        }
    }
}

async fn understand(
    ctx: &Context,
    tx: &mut Tx<'_>,
    phone: Option<&Phone>,
    message: &InboundMessage,
) -> Result<Meaning> {
    let now = ctx.now();
    let text = message.text.as_deref().unwrap_or_default();
    for code in codes_in(text) {
        let Some(pointer) = unscoped::look_up(tx, DirectoryKind::SandboxCode, &code).await? else { continue };
        let Some(session) = sandbox_sessions::find(tx, pointer.project_id, Id::from_uuid(pointer.object_id)).await?
        else {
            continue;
        };
        let Some(phone) = phone else { return Ok(Meaning::Answer(Answer::HiddenNumber)) };
        if session.phone_canonical != phone.canonical() {
            return Ok(Meaning::Answer(Answer::NotYourCode));
        }
        let live = sandbox::is_live(&session, SessionStatus::PendingActivation, now)
            || sandbox::is_live(&session, SessionStatus::Active, now);
        return Ok(if live {
            Meaning::Activates(pointer.project_id, session)
        } else {
            Meaning::Answer(Answer::Expired)
        });
    }
    let Some(phone) = phone else { return Ok(Meaning::Answer(Answer::HiddenNumber)) };
    if let Some(pointer) = unscoped::look_up(tx, DirectoryKind::SandboxPhone, phone.canonical()).await?
        && let Some(session) = sandbox_sessions::find(tx, pointer.project_id, Id::from_uuid(pointer.object_id)).await?
        && sandbox::is_live(&session, SessionStatus::Active, now)
    {
        return Ok(Meaning::Talks(pointer.project_id, session));
    }
    Ok(Meaning::Answer(if is_code_like(text) { Answer::UnknownCode } else { Answer::NoSession }))
}

async fn say(
    ctx: &Context,
    tx: &mut Tx<'_>,
    place: Place,
    message: &InboundMessage,
    source_key: &str,
    answer: Answer,
    language: &str,
) -> Result<()> {
    let Some(conversation) = converse(ctx, tx, &place, message).await? else { return Ok(()) };
    if answer == Answer::Activated {
        stop_other_agent(ctx, tx, place.project, &conversation).await?;
    }
    if store::outbox::is_known(tx, place.project, source_key).await? {
        return Ok(());
    }
    let parcel = Parcel::Said(Content::Text(sentence(answer, language).to_owned()));
    let said = Said { parcel: &parcel, shown: None, origin: MessageOrigin::Sandbox, source_key, waiting: None };
    // A refusal cannot be told to anybody: the person wrote a moment ago, so the window is open.
    enqueue(ctx, tx, place.project, &conversation, &said, ctx.now()).await?.map_or(Ok(()), |_| Ok(()))
}

/// A session with another agent begins anew: what the earlier agent was about is stopped.
async fn stop_other_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
) -> Result<()> {
    let Some(id) = conversation.execution_id else { return Ok(()) };
    let other =
        store::executions::find(tx, project, id).await?.is_some_and(|row| Some(row.agent_id) != conversation.agent_id);
    if !other {
        return Ok(());
    }
    let key = format!("stop:{id}");
    let input = Input::Stop { id: key.clone(), reason: "another agent was activated".into() };
    let now = ctx.now();
    mailbox::put(tx, project, conversation.id, &mail(conversation.next_seq, key, &input)?).await?;
    conversations::wake(tx, project, conversation.id, now, None).await
}

const fn sentence(answer: Answer, language: &str) -> &'static str {
    let [en, es, pt] = match answer {
        Answer::Activated => [
            "You're connected: write to the agent now.",
            "Conexión lista: ya puedes escribir al agente.",
            "Tudo conectado: já pode escrever para o agente.",
        ],
        Answer::NotYourCode => [
            "This code belongs to another phone number; nothing was activated.",
            "Este código es de otro número de teléfono; no se activó nada.",
            "Este código é de outro número de telefone; nada foi ativado.",
        ],
        Answer::HiddenNumber => [
            "Your phone number is hidden, so a sandbox session cannot be opened from here.",
            "Tu número de teléfono está oculto, así que no se puede abrir una sesión de prueba desde aquí.",
            "Seu número de telefone está oculto, então não é possível abrir uma sessão de teste por aqui.",
        ],
        Answer::Expired => [
            "This code has expired; ask for a new sandbox session.",
            "Este código ya venció; pide una nueva sesión de prueba.",
            "Este código expirou; peça uma nova sessão de teste.",
        ],
        Answer::UnknownCode => [
            "This code is not known; check it and send it again.",
            "Este código no existe; revísalo y envíalo de nuevo.",
            "Este código não existe; confira e envie de novo.",
        ],
        Answer::NoSession => [
            "This is a test number: send the code of your sandbox session to start.",
            "Este es un número de prueba: envía el código de tu sesión para empezar.",
            "Este é um número de teste: envie o código da sua sessão para começar.",
        ],
    };
    match language.as_bytes() {
        b"es" => es,
        b"pt" => pt,
        _ => en,
    }
}
