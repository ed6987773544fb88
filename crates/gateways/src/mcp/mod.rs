//! MCP servers that users configure: lists their tools and calls one, for [`Egress::send`](crate::egress::Egress::send).
//!
//! A session lives for one request of a tool. It is plain sequential code over the guarded client, without tasks but
//! for the last word: what is dropped is over, and nothing repeats a call behind our back. Why this is our own code and no crate:
//! `docs/decisions/0009-own-mcp-client.md`.

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

pub(crate) use exchange::ask;
