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
