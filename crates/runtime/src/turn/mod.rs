//! Runs turns: claims a conversation, carries out what the engine asks for, feeds what came of it, until it rests.

mod contact_context;
mod mailbox;
mod pending;
mod step;

pub(crate) use step::{Hold, facts, step as engine_step};

use crate::{
    Context, failpoint, secrets,
    workers::{AT_ONCE, Did, wait_after},
};
use domain::{
    chat::{ModelFailure, ModelFailureKind, ModelResponse, ToolCall},
    ids::{ConversationId, ProjectId},
    nesting,
    tool_request::{SecretMarks, ToolAnswer, ToolRequest},
};
use engine::{AskedServer, Input, Retrieval, ToolList, model_request};
use futures::future::try_join_all;
use pending::Todo;
use serde_json::Value;
use std::{collections::BTreeMap, time::Instant};
pub use step::Held;
use store::{
    Error, Tx, conversations, transact,
    unscoped::{self, DueConversation},
};

/// Runs one due turn until it rests.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_conversations(&mut reader.conn(), ctx.now(), 1).await?
    };
    let Some(due) = due.first() else { return Ok(Did::Nothing) };
    run(ctx, *due).await?;
    Ok(Did::Something)
}

/// Runs the turn of a conversation that was seen as due. Does nothing if another worker was faster.
pub(crate) async fn run(ctx: &Context, due: DueConversation) -> store::Result<()> {
    let _inside = ctx.interrupts.enter(due.id);
    let claimed = transact!(ctx.store, "turn.claim", tx => {
        let Some(conversation) = conversations::claim(tx, due, &ctx.node).await? else { return Ok(None) };
        let held = step::step(ctx, tx, due.project_id, conversation, Hold::Claimed, &[]).await?;
        failpoint::reach("claim.commit");
        Ok(held)
    });
    failpoint::reach("claim.committed");
    match claimed {
        Ok(held) => go_on(ctx, held).await,
        Err(error) => postpone(ctx, (due.project_id, due.id, due.epoch), error).await,
    }
}

/// Takes up what waits for a conversation in the caller's transaction, so that the caller sees what comes of it: a conversation
/// at rest is nobody's. Where somebody holds it, they find it at their next step. What is left to be done is for [`go_on_beside`].
pub async fn take_up(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ConversationId,
) -> store::Result<Option<Held>> {
    match conversations::claim_if_free(tx, project, id, &ctx.node).await? {
        Some(conversation) => step::step(ctx, tx, project, conversation, Hold::Claimed, &[]).await,
        None => Ok(None),
    }
}

/// Carries a turn on that a request has taken up. The request does not wait for it; if it dies, its lease runs out.
pub fn go_on_beside(ctx: &Context, held: Option<Held>) {
    let Some(turn) = held else { return };
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let _inside = ctx.interrupts.enter(turn.conversation.id);
        if let Err(error) = go_on(&ctx, Some(turn)).await {
            tracing::warn!(%error, "step failed; it stays due");
        }
    });
}

/// A turn that cannot go on waits a while.
async fn postpone(
    ctx: &Context,
    (project, id, epoch): (ProjectId, ConversationId, i64),
    error: Error,
) -> store::Result<()> {
    if !matches!(error, Error::StaleEpoch) {
        let at = ctx.now() + wait_after(&error);
        transact!(ctx.store, "turn.postpone", tx => conversations::postpone(tx, project, id, epoch, at).await)?;
    }
    Err(error)
}

/// Carries a held turn on until it rests or waits for a send.
pub(crate) async fn go_on(ctx: &Context, mut held: Option<Held>) -> store::Result<()> {
    // Sends and timers that the last commit brought are others' work.
    ctx.wake.notify_one();
    while let Some(turn) = held {
        let key = (turn.project, turn.conversation.id, turn.conversation.epoch);
        let _under_way = ctx.turns.enter(key, ctx.clock.monotonic());
        held = match once(ctx, &turn).await {
            Ok(next) => next,
            Err(error) => return postpone(ctx, key, error).await,
        };
        failpoint::reach("step.committed");
        ctx.wake.notify_one();
    }
    Ok(())
}

/// Carries out one effect and feeds its outcome. A node that stops does not wait for a model or a list of tools: nothing was
/// done in the world, so the next holder asks again.
async fn once(ctx: &Context, turn: &Held) -> store::Result<Option<Held>> {
    let outcome = tokio::select! {
        // An outcome that is there is taken.
        biased;
        outcome = carry_out(ctx, turn) => outcome?,
        // What rang is in the mailbox. Without an outcome the engine gives the question up, or the model is asked again.
        () = ctx.interrupts.rung(turn.conversation.id), if turn.todo.can_be_left() => Vec::new(),
        () = ctx.stopping.cancelled(), if turn.todo.can_be_left() => return hand_over(ctx, turn).await.map(|()| None),
    };
    transact!(ctx.store, "turn.step", tx => {
        let now = ctx.now();
        let conversation = conversations::held(tx, turn.project, turn.conversation.id, turn.conversation.epoch, now).await?;
        let next = step::step_on(ctx, tx, turn, conversation, &outcome).await?;
        failpoint::reach("step.commit");
        Ok(next)
    })
}

async fn hand_over(ctx: &Context, turn: &Held) -> store::Result<()> {
    let (project, id, epoch) = (turn.project, turn.conversation.id, turn.conversation.epoch);
    transact!(ctx.store, "turn.hand_over", tx => conversations::postpone(tx, project, id, epoch, AT_ONCE).await)
}

async fn carry_out(ctx: &Context, held: &Held) -> store::Result<Vec<Input>> {
    let outcome = match &held.todo {
        Todo::Model(call) => {
            let rows = step::history_of(ctx, held, call).await?;
            let request = model_request(&held.agent, &held.state, call, &rows);
            let began = Instant::now();
            failpoint::reach("model.ask");
            let answer = ctx.model.complete(&request, &call.id).await;
            failpoint::reach("model.answered");
            metrics::histogram!("llm_seconds").record(began.elapsed().as_secs_f64());
            metrics::counter!("llm_requests_total", "result" => if answer.is_ok() { "ok" } else { "failed" })
                .increment(1);
            match answer {
                Ok(response) => Input::Model { effect: call.id.clone(), response: storable(response) },
                Err(failure) => Input::ModelFailed { effect: call.id.clone(), failure: shown(failure) },
            }
        }
        // The request may have been made before a crash: only what is safe to repeat is repeated (engine.md 2.10).
        Todo::Tool { effect, request, again: true, .. } if request.method != "GET" => {
            let answer =
                ToolAnswer::Failed { code: "outcome_unknown".into(), message: "outcome unknown after restart".into() };
            Input::Tool { effect: effect.clone(), answer }
        }
        // It changes nothing: after a crash it is simply searched again.
        Todo::Retrieve { effect, base, queries } => {
            let base = held.agent.node(&held.state.node).and_then(|node| node.knowledge(base));
            let found = match base {
                Some(base) => ctx.library.search(held.project, base, queries).await,
                None => None,
            };
            let retrieval = found.map_or(Retrieval::Failed, |passages| Retrieval::Found { passages });
            Input::Retrieved { effect: effect.clone(), retrieval }
        }
        Todo::Tool { effect, request, secrets, .. } => {
            let (filled, secrets) = with_secrets(ctx, held.project, request, secrets).await?;
            failpoint::reach("tool.ask");
            let answer = make_request(ctx, &filled, &secrets).await;
            failpoint::reach("tool.answered");
            return Ok(after_missing(secrets.missing, Input::Tool { effect: effect.clone(), answer }));
        }
        Todo::ListTools { effect, servers } => return list_tools(ctx, held.project, effect, servers).await,
    };
    Ok(vec![outcome])
}

/// The secrets of a request: those that the project has, and the names of the others.
struct Secrets {
    values: BTreeMap<String, String>,
    missing: Vec<String>,
}

async fn with_secrets(
    ctx: &Context,
    project: ProjectId,
    request: &ToolRequest,
    marks: &SecretMarks,
) -> store::Result<(ToolRequest, Secrets)> {
    let values = secrets::of(ctx, project, marks.names()).await?;
    let missing = marks.names().filter(|name| !values.contains_key(*name)).map(str::to_owned).collect();
    Ok((marks.fill(request, &values), Secrets { values, missing }))
}

/// Makes the request, and takes out of the answer what the other side gave back of the secrets: from here on everything is journaled.
async fn make_request(ctx: &Context, filled: &ToolRequest, secrets: &Secrets) -> ToolAnswer {
    match ctx.egress.send(filled).await.redacted(&secrets.values) {
        ToolAnswer::Answered { status, content, truncated } => {
            ToolAnswer::Answered { status, content: nesting::shallow(content), truncated }
        }
        failed @ ToolAnswer::Failed { .. } => failed,
    }
}

fn after_missing(names: Vec<String>, outcome: Input) -> Vec<Input> {
    if names.is_empty() { vec![outcome] } else { vec![Input::SecretsMissing { names }, outcome] }
}

/// Asks all servers at once, but for those that were asked a short while ago.
async fn list_tools(
    ctx: &Context,
    project: ProjectId,
    effect: &str,
    servers: &[AskedServer],
) -> store::Result<Vec<Input>> {
    let lists = servers.iter().map(async |asked| {
        let (filled, secrets) = with_secrets(ctx, project, &asked.request, &asked.secrets).await?;
        let known = ctx.mcp_lists.get(project, &filled, ctx.clock.monotonic());
        let answer = match known {
            Some(answer) => answer,
            None => {
                let answer = make_request(ctx, &filled, &secrets).await;
                ctx.mcp_lists.put(project, &filled, &answer, ctx.clock.monotonic());
                answer
            }
        };
        Ok::<_, Error>((secrets.missing, ToolList { server: asked.server.clone(), answer }))
    });
    let (missing, lists): (Vec<_>, Vec<_>) = try_join_all(lists).await?.into_iter().unzip();
    let mut missing = missing.concat();
    missing.sort();
    missing.dedup();
    Ok(after_missing(missing, Input::ToolsListed { effect: effect.to_owned(), lists }))
}

/// Without NUL, which PostgreSQL cannot store in a text and nobody can read, and not deeper than can be read again.
pub(crate) fn storable(response: ModelResponse) -> ModelResponse {
    fn clean(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(text.replace('\0', "")),
            Value::Array(items) => items.into_iter().map(clean).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, clean(value))).collect(),
            other => other,
        }
    }
    let calls = response.tool_calls.into_iter();
    ModelResponse {
        text: response.text.map(|text| text.replace('\0', "")),
        tool_calls: calls
            .map(|call| ToolCall {
                name: call.name.replace('\0', ""),
                arguments: nesting::shallow(clean(call.arguments)),
                ..call
            })
            .collect(),
        ..response
    }
}

/// Keeps a provider's page of HTML from filling the journal.
pub(crate) fn shown(failure: ModelFailure) -> ModelFailure {
    let message: String = failure.message.chars().take(1_000).collect();
    if failure.kind != ModelFailureKind::Temporary {
        tracing::warn!(kind = ?failure.kind, %message, "the model refused");
    }
    ModelFailure { message, ..failure }
}
