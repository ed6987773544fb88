//! Executes the effect that a turn waits for, outside of any transaction.

use super::{
    model_answer::{class_of, storable},
    pending::PendingEffect,
    step::ActiveTurn,
};
use crate::{Context, cpu, failpoint, json::from_json, secrets};
use domain::{
    chat::{ChatMessage, ToolCall},
    ids::ProjectId,
    nesting,
    tool_request::{SecretMarks, ToolAnswer, ToolRequest},
};
use engine::{CallModel, Input, McpServerRequest, Retrieval, ToolList, ToolResult, model_request};
use futures::future::try_join_all;
use std::{collections::BTreeMap, time::Instant};
use store::{Error, Result, history};

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
                Some(filled) => ctx.egress.send(filled).await,
                None => too_large(),
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
        PendingEffect::ListTools { effect, servers } => return list_tools(ctx, turn.project, effect, servers).await,
    };
    Ok(vec![outcome])
}

/// The outcome of a tool call: its result for the model, instead of the whole answer.
async fn tool_outcome(turn: &ActiveTurn, effect: &str, answer: ToolAnswer, secrets: BTreeMap<String, String>) -> Input {
    let rule = turn.agent.pending_result(&turn.state);
    let id = effect.to_owned();
    let read = move || match (readable(answer, &secrets), rule) {
        (answer @ ToolAnswer::Answered { .. }, Some(rule)) => {
            let ToolResult { result, warning } = rule.read(&answer);
            Input::ToolResult { effect: id, result, warning }
        }
        (answer, _) => Input::Tool { effect: id, answer },
    };
    cpu::SHORT.run(read).await.unwrap_or_else(|| {
        let answer = ToolAnswer::Failed { code: "bad_response".into(), message: "its answer cannot be read".into() };
        Input::Tool { effect: effect.to_owned(), answer }
    })
}

async fn call_model(ctx: &Context, turn: &ActiveTurn, call: &CallModel) -> Result<Input> {
    let rows = history_window(ctx, turn, call).await?;
    let request = model_request(&turn.agent, &turn.state, call, &rows);
    let began = Instant::now();
    failpoint::reach("model.ask");
    let answer = ctx.model.complete(&request, &call.id).await;
    failpoint::reach("model.answered");
    metrics::histogram!("chasqui_llm_seconds").record(began.elapsed().as_secs_f64());
    metrics::counter!("chasqui_llm_requests_total", "result" => if answer.is_ok() { "ok" } else { "failed" })
        .increment(1);
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

/// The history rows that a model request includes.
async fn history_window(ctx: &Context, turn: &ActiveTurn, call: &CallModel) -> Result<Vec<(i64, ChatMessage)>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let mut rows = history::window(&mut conn, turn.project, turn.execution, call.from).await?;
    for pinned in [call.first_input, call.step_prompt].into_iter().flatten().filter(|seq| *seq < call.from) {
        rows.extend(history::one(&mut conn, turn.project, turn.execution, pinned).await?);
    }
    rows.into_iter().map(|row| Ok((row.seq, from_json("history", &row.entry)?))).collect()
}

/// Outcome of a request that its secrets make too large.
fn too_large() -> ToolAnswer {
    ToolAnswer::Failed { code: "request_too_large".into(), message: "request too large".into() }
}

/// The secrets of a request: values that the project has, and names that it has not.
struct Secrets {
    values: BTreeMap<String, String>,
    missing: Vec<String>,
}

/// The request with its secrets, unless it is too large.
async fn with_secrets(
    ctx: &Context,
    project: ProjectId,
    request: &ToolRequest,
    marks: &SecretMarks,
) -> Result<(Option<ToolRequest>, Secrets)> {
    let values = secrets::values(ctx, project, marks.names()).await?;
    let missing = marks.names().filter(|name| !values.contains_key(*name)).map(str::to_owned).collect();
    Ok((marks.fill(request, &values), Secrets { values, missing }))
}

/// Requests a list of tools; its secrets are removed on the blocking pool, as of large answers.
async fn send_request(ctx: &Context, filled: &ToolRequest, secrets: &Secrets) -> ToolAnswer {
    let answer = ctx.egress.send_as(filled, !secrets.values.is_empty()).await;
    let values = secrets.values.clone();
    let read = cpu::LONG.run(move || readable(answer, &values)).await;
    read.unwrap_or_else(|| ToolAnswer::Failed {
        code: "bad_response".into(),
        message: "its answer cannot be read".into(),
    })
}

/// Removes secrets that the other side echoed: everything after this is journaled.
fn readable(answer: ToolAnswer, secrets: &BTreeMap<String, String>) -> ToolAnswer {
    match answer.redacted(secrets) {
        ToolAnswer::Answered { status, content, truncated } => {
            ToolAnswer::Answered { status, content: nesting::shallow(content), truncated }
        }
        failed @ ToolAnswer::Failed { .. } => failed,
    }
}

fn with_missing_secrets(names: Vec<String>, outcome: Input) -> Vec<Input> {
    if names.is_empty() { vec![outcome] } else { vec![Input::SecretsMissing { names }, outcome] }
}

/// Lists the tools of all servers concurrently, except for cached lists.
async fn list_tools(
    ctx: &Context,
    project: ProjectId,
    effect: &str,
    servers: &[McpServerRequest],
) -> Result<Vec<Input>> {
    let lists = servers.iter().map(async |asked| {
        let (filled, secrets) = with_secrets(ctx, project, &asked.request, &asked.secrets).await?;
        let answer = match &filled {
            None => too_large(),
            Some(filled) => match ctx.mcp.get(project, filled, ctx.clock.monotonic()) {
                Some(answer) => answer,
                None => {
                    let answer = send_request(ctx, filled, &secrets).await;
                    ctx.mcp.put(project, filled, &answer, ctx.clock.monotonic());
                    answer
                }
            },
        };
        Ok::<_, Error>((secrets.missing, ToolList { server: asked.server.clone(), answer }))
    });
    let (missing, lists): (Vec<_>, Vec<_>) = try_join_all(lists).await?.into_iter().unzip();
    let mut missing = missing.concat();
    missing.sort();
    missing.dedup();
    let prepare = move || {
        engine::prepare_tool_lists(&lists);
        lists
    };
    let lists = cpu::LONG.run(prepare).await.unwrap_or_default();
    Ok(with_missing_secrets(missing, Input::ToolsListed { effect: effect.to_owned(), lists }))
}
