//! Executes the effect that a turn waits for, outside of any transaction.

use super::{
    model_answer::{class_of, storable},
    pending::PendingEffect,
    secret_requests::{Secrets, readable, with_missing_secrets, with_secrets},
    step::ActiveTurn,
    tool_lists::list_tools,
};
use crate::{Context, cpu, execution::history_window, failpoint, model_providers, pictures};
use domain::{
    chat::{ModelResponse, ToolCall},
    tool_request::ToolAnswer,
};
use engine::{CallModel, Input, Retrieval, ToolResult, model_request};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use store::Result;

/// Returns the outcome as inputs of the next step.
pub(super) async fn execute(ctx: &Context, turn: &ActiveTurn) -> Result<Vec<Input>> {
    let outcome = match &turn.pending {
        PendingEffect::Model(call) => call_model(ctx, turn, call).await?,
        // The request may have been made before a crash: only a safe method is repeated
        // (docs/spec/engine.md 2.10).
        PendingEffect::Tool { effect, request, repeated: true, .. } if request.method != "GET" => {
            let answer =
                ToolAnswer::Failed { code: "outcome_unknown".into(), message: "outcome unknown after restart".into() };
            Input::Tool { effect: effect.clone(), answer }
        }
        PendingEffect::Tool { effect, request, secrets, .. } => {
            let (filled, secrets) = with_secrets(ctx, turn.project, request, secrets).await?;
            failpoint::reach("tool.ask");
            let answer = match &filled {
                Ok(filled) => ctx.egress.send(filled).await,
                Err(refused) => refused.clone(),
            };
            failpoint::reach("tool.answered");
            let Secrets { values, missing } = secrets;
            return Ok(with_missing_secrets(missing, tool_outcome(turn, effect, answer, values).await));
        }
        PendingEffect::Retrieve { effect, base, queries } => {
            let base = turn.agent.node(&turn.state.visit.node).and_then(|node| node.knowledge(base));
            let found = match base {
                Some(base) => ctx.knowledge.search(turn.project, base, queries).await,
                None => None,
            };
            let retrieval = found.map_or(Retrieval::Failed, |passages| Retrieval::Found { passages });
            Input::Retrieved { effect: effect.clone(), retrieval }
        }
        PendingEffect::ListTools { effect, servers } => return list_tools(ctx, turn, effect, servers).await,
    };
    Ok(vec![outcome])
}

/// The outcome of a tool call: its result for the model, instead of the whole answer.
async fn tool_outcome(turn: &ActiveTurn, effect: &str, answer: ToolAnswer, secrets: BTreeMap<String, String>) -> Input {
    let rule = turn.agent.pending_result(&turn.state);
    let id = effect.to_owned();
    let read = move || match (readable(answer, &secrets), rule) {
        (answer @ ToolAnswer::Answered { .. }, Some(rule)) => {
            let ToolResult { result, warning, failed } = rule.read(&answer);
            Input::ToolResult { effect: id, result, warning, failed }
        }
        (answer, _) => Input::Tool { effect: id, answer },
    };
    cpu::SHORT.run(read).await.unwrap_or_else(|| {
        let answer = ToolAnswer::Failed { code: "bad_response".into(), message: "its answer cannot be read".into() };
        Input::Tool { effect: effect.to_owned(), answer }
    })
}

async fn call_model(ctx: &Context, turn: &ActiveTurn, call: &CallModel) -> Result<Input> {
    let rows = {
        let mut reader = ctx.store.read().await?;
        history_window(&mut reader.conn(), turn.project, turn.execution, call).await?
    };
    let mut request = model_request(&turn.agent, &turn.state, call, &rows);
    pictures::attach(ctx, turn.project, turn.conversation.id, &mut request).await?;
    let began = Instant::now();
    failpoint::reach("model.ask");
    let answer = model_providers::complete(ctx, turn.project, &request, &call.id).await?;
    failpoint::reach("model.answered");
    metrics::histogram!("chasqui_llm_seconds").record(began.elapsed().as_secs_f64());
    metrics::counter!("chasqui_llm_requests_total", "result" => if answer.is_ok() { "ok" } else { "failed" })
        .increment(1);
    if let Ok(ModelResponse { first_token_ms: Some(millis), .. }) = &answer {
        metrics::histogram!("chasqui_llm_first_token_seconds").record(Duration::from_millis(*millis).as_secs_f64());
    }
    if let Err(failure) = &answer {
        let class = failure.class.clone().unwrap_or_else(|| "none".to_owned());
        metrics::counter!("chasqui_llm_refusals_total", "class" => class).increment(1);
    }
    Ok(match answer {
        Ok(response) => {
            let response = storable(response);
            prepare_calls(turn, &response.tool_calls).await;
            Input::Model { effect: call.id.clone(), response }
        }
        Err(failure) => Input::ModelFailed { effect: call.id.clone(), failure: class_of(failure) },
    })
}

/// Does slow work of the answer's calls outside of the step's transaction.
async fn prepare_calls(turn: &ActiveTurn, calls: &[ToolCall]) {
    if engine::prepare_calls(&turn.agent, &turn.state, calls).is_none() {
        return;
    }
    let (agent, state, calls) = (turn.agent.clone(), turn.state.clone(), calls.to_vec());
    let work = move || engine::prepare_calls(&agent, &state, &calls).map(|prepare| prepare());
    cpu::SHORT.run(work).await;
}
