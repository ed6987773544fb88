//! One request to an MCP server, from the first message to the last.

use super::{connection::Connection, failure::Failure, session::Session, tool_result, tools};
use crate::egress::{Egress, mcp_headers};
use domain::tool_request::{McpAsk, ToolAnswer, ToolRequest};
use serde_json::json;
use std::time::Duration;

/// The time limit for listing tools; a call has the policy's limit.
const LISTING: Duration = Duration::from_secs(10);
/// Pages of the tool list that are read.
const PAGES: usize = 10;

/// Lists the tools of an MCP server, or calls one. A call is sent at most once.
pub(crate) async fn exchange(egress: &Egress, request: &ToolRequest, ask: &McpAsk) -> ToolAnswer {
    match attempt(egress, request, ask).await {
        Ok(answer) => answer,
        Err(failure) => {
            tracing::info!(code = failure.code, "MCP server without a result");
            failure.into()
        }
    }
}

async fn attempt(egress: &Egress, request: &ToolRequest, ask: &McpAsk) -> Result<ToolAnswer, Failure> {
    let arguments = match &request.body {
        None => json!({}),
        Some(body) if body.is_object() => body.clone(),
        Some(_) => return Err(Failure::not_asked("the arguments of a tool must be an object")),
    };
    let total = egress.limits().total;
    let time = if ask.tool.is_some() { total } else { total.min(LISTING) };
    let (headers, key) = mcp_headers(request);
    let connection = Connection::open(egress, &request.url, headers, time).await?;
    let mut session = Session::open(ask.transport, connection).await?;
    let result = async {
        session.begin().await?;
        match &ask.tool {
            None => list(&mut session).await,
            Some(tool) => {
                let params = json!({"name": tool, "arguments": arguments});
                tool_result::of_call(&session.request("tools/call", params, key).await?)
            }
        }
    }
    .await;
    session.close();
    result
}

async fn list(session: &mut Session) -> Result<ToolAnswer, Failure> {
    let mut list = tools::List::default();
    let mut cursors: Vec<String> = Vec::new();
    loop {
        let params = cursors.last().map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
        let page = session.request("tools/list", params, None).await?;
        let Some(found) = page["tools"].as_array() else { return Err(tools::no_list()) };
        list.add(found);
        // A repeated cursor would loop.
        let Some(next) = page["nextCursor"].as_str().filter(|next| !cursors.iter().any(|seen| seen == next)) else {
            break;
        };
        if list.is_full() || cursors.len() + 1 == PAGES {
            list.truncated = true;
            break;
        }
        cursors.push(next.to_owned());
    }
    Ok(list.answer())
}
