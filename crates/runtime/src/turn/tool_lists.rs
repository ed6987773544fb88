//! Lists the tools of MCP servers. The first list after an agent is saved is pinned; a tool that
//! differs from it is left out until the agent is saved again (docs/spec/engine.md 4.3).

use super::{
    secret_requests::{Secrets, readable, with_missing_secrets, with_secrets},
    step::ActiveTurn,
};
use crate::{Context, cpu};
use domain::{
    json,
    tool_request::{McpTool, ToolAnswer, ToolRequest},
};
use engine::{Input, McpServerRequest, ToolList};
use futures::future::try_join_all;
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeMap;
use store::{
    Error, Result,
    mcp_pins::{self, Place},
    transact,
};

/// Digest of each tool by its name.
type Digests = BTreeMap<String, String>;

/// Lists the tools of all servers concurrently, except for cached lists.
pub(super) async fn list_tools(
    ctx: &Context,
    turn: &ActiveTurn,
    effect: &str,
    servers: &[McpServerRequest],
) -> Result<Vec<Input>> {
    let project = turn.project;
    let lists = servers.iter().map(async |asked| {
        let place = Place { agent: turn.state.facts.agent_id, node: &turn.state.visit.node, server: &asked.server };
        let pinned = mcp_pins::find(&mut ctx.store.read().await?.conn(), project, place).await?;
        let (filled, secrets) = with_secrets(ctx, project, &asked.request, &asked.secrets).await?;
        let answer = match &filled {
            Err(refused) => refused.clone(),
            // A list from before the agent was saved must not be pinned.
            Ok(filled) => match ctx.mcp.get(project, filled, ctx.clock.monotonic()).filter(|_| pinned.is_some()) {
                Some(answer) => answer,
                None => {
                    let answer = send_request(ctx, filled, &secrets).await;
                    ctx.mcp.put(project, filled, &answer, ctx.clock.monotonic());
                    answer
                }
            },
        };
        let list = ToolList { server: asked.server.clone(), answer, drifted: Vec::new() };
        Ok::<_, Error>((secrets.missing, compared(ctx, turn, place, pinned, list).await?))
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

/// The list without the tools that differ from the pinned ones. The first list is pinned.
async fn compared(
    ctx: &Context,
    turn: &ActiveTurn,
    place: Place<'_>,
    pinned: Option<String>,
    list: ToolList,
) -> Result<ToolList> {
    let server = list.server.clone();
    let Some((list, now)) = cpu::LONG.run(move || with_digests(list)).await else {
        let answer = ToolAnswer::Failed { code: "bad_response".into(), message: "its tools cannot be read".into() };
        return Ok(ToolList { server, answer, drifted: Vec::new() });
    };
    let Some(now) = now else { return Ok(list) };
    let pinned = match pinned {
        Some(pinned) => pinned,
        None => {
            let (project, at) = (turn.project, ctx.now());
            let mine = serde_json::to_string(&now).unwrap_or_default();
            transact!(ctx.store, "mcp.pin", tx => {
                mcp_pins::insert(tx, project, place, &mine, at).await?;
                // Another node may have been first.
                mcp_pins::find(tx, project, place).await
            })?
            .unwrap_or(mine)
        }
    };
    let pinned: Digests = serde_json::from_str(&pinned).unwrap_or_default();
    let drifted: Vec<String> =
        now.into_iter().filter(|(name, digest)| pinned.get(name) != Some(digest)).map(|(name, _)| name).collect();
    Ok(without(list, drifted))
}

/// A list with the digests of its tools; none for a failure, or what is no list of tools. A list may
/// have a megabyte.
fn with_digests(list: ToolList) -> (ToolList, Option<Digests>) {
    let ToolAnswer::Answered { content, .. } = &list.answer else { return (list, None) };
    let tools = Vec::<McpTool>::deserialize(content).unwrap_or_default();
    let digests = tools.into_iter().map(|tool| (tool.name.clone(), json::digest(&serde_json::json!(tool))));
    let digests: Digests = digests.collect();
    // A server that has just started may not offer its tools yet: an empty list is not pinned.
    (list, Some(digests).filter(|digests| !digests.is_empty()))
}

/// Takes these tools out of a list.
fn without(mut list: ToolList, drifted: Vec<String>) -> ToolList {
    if let (ToolAnswer::Answered { content: Value::Array(tools), .. }, false) = (&mut list.answer, drifted.is_empty()) {
        tools.retain(|tool| !drifted.iter().any(|name| tool["name"] == name.as_str()));
    }
    ToolList { drifted, ..list }
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
