//! A client for MCP servers that users configure, used by
//! [`Egress::send`](crate::egress::Egress::send).
//!
//! A session lives for one request: list the tools or call one. The code is sequential over the
//! guarded client, so dropping it ends the request and nothing repeats a call.
//! `docs/decisions/0009-own-mcp-client.md` says why no crate is used.

mod connection;
mod events;
mod exchange;
mod failure;
mod message;
mod session;
mod sse;
mod streamable;
mod tool_result;
mod tools;

pub(crate) use exchange::exchange;

use domain::tool_request::ToolAnswer;

/// Reads the response to request 1: the result of a call, or a list of tools.
pub(crate) fn read_response(body: &[u8], lists: bool) -> ToolAnswer {
    let messages = match message::read(body) {
        Ok(messages) => messages,
        Err(failure) => return failure.into(),
    };
    let responses = messages.into_iter().filter_map(|message| match message::sort(message, 1) {
        message::Incoming::Response(response) => Some(response),
        message::Incoming::Request(_) | message::Incoming::Other => None,
    });
    let response = responses.into_iter().next().unwrap_or_else(|| Err(failure::Failure::bad_response("no response")));
    let answer =
        response.and_then(|result| if lists { tools::of_page(&result) } else { tool_result::of_call(&result) });
    answer.unwrap_or_else(Into::into)
}
