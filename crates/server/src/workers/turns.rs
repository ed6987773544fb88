//! Runs turns: claims a conversation, carries out what the engine asks for, feeds what came of it, until it rests.

use super::{
    Did,
    step::{self, Held, Todo},
};
use crate::Context;
use domain::{chat::ModelFailure, chat::ModelFailureKind, tool_request::ToolAnswer};
use engine::{Input, model_request};
use std::time::Instant;
use store::{
    conversations, transact,
    unscoped::{self, DueConversation},
};

/// Runs one due turn until it rests.
pub(super) async fn step(ctx: &Context) -> store::Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_conversations(&mut reader.conn(), ctx.now(), 1).await?
    };
    let Some(due) = due.first() else { return Ok(Did::Nothing) };
    run(ctx, *due).await?;
    Ok(Did::Something)
}

/// Runs the turn of a conversation that was seen as due. Does nothing if another worker was faster.
pub(super) async fn run(ctx: &Context, due: DueConversation) -> store::Result<()> {
    let held = transact!(ctx.store, "turn.claim", tx => {
        let Some(conversation) = conversations::claim(tx, due, &ctx.node).await? else { return Ok(None) };
        step::step(ctx, tx, due.project_id, conversation, &[]).await
    })?;
    go_on(ctx, held).await
}

/// Carries a held turn on until it rests or waits for a send.
pub(crate) async fn go_on(ctx: &Context, mut held: Option<Held>) -> store::Result<()> {
    // Sends and timers that the last commit brought are others' work.
    ctx.wake.notify_one();
    while let Some(turn) = held {
        let outcome = carry_out(ctx, &turn).await?;
        let (project, id, epoch) = (turn.project, turn.conversation.id, turn.conversation.epoch);
        held = transact!(ctx.store, "turn.step", tx => {
            let conversation = conversations::held(tx, project, id, epoch, ctx.now()).await?;
            step::step(ctx, tx, project, conversation, std::slice::from_ref(&outcome)).await
        })?;
        ctx.wake.notify_one();
    }
    Ok(())
}

async fn carry_out(ctx: &Context, held: &Held) -> store::Result<Input> {
    match &held.todo {
        Todo::Model(call) => {
            let rows = step::history_of(ctx, held, call).await?;
            let request = model_request(&held.agent, &held.state, call, &rows);
            let began = Instant::now();
            let answer = ctx.model.complete(&request, &call.id).await;
            metrics::histogram!("llm_seconds").record(began.elapsed().as_secs_f64());
            metrics::counter!("llm_requests_total", "result" => if answer.is_ok() { "ok" } else { "failed" }).increment(1);
            Ok(match answer {
                Ok(response) => Input::Model { effect: call.id.clone(), response },
                Err(failure) => Input::ModelFailed { effect: call.id.clone(), failure: shown(failure) },
            })
        }
        // The request may have been made before a crash: only what is safe to repeat is repeated (engine.md 2.10).
        Todo::Tool { effect, request, again: true } if request.method != "GET" => {
            let answer = ToolAnswer::Failed { code: "outcome_unknown".into(), message: "outcome unknown after restart".into() };
            Ok(Input::Tool { effect: effect.clone(), answer })
        }
        Todo::Tool { effect, request, .. } => {
            let answer = ctx.egress.send(request).await;
            Ok(Input::Tool { effect: effect.clone(), answer })
        }
    }
}

/// Keeps a provider's page of HTML from filling the journal.
fn shown(failure: ModelFailure) -> ModelFailure {
    let message: String = failure.message.chars().take(1_000).collect();
    if failure.kind != ModelFailureKind::Temporary {
        tracing::warn!(kind = ?failure.kind, %message, "the model refused");
    }
    ModelFailure { message, ..failure }
}
