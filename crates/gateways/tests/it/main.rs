//! Tests over real sockets on 127.0.0.1, with servers that send hand-written bytes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod egress_guard;
mod egress_redirects;
mod egress_send;
mod fixtures;
mod graph;
mod graph_calls;
mod graph_contents;
mod llm;
mod llm_config;
mod llm_streams;
mod mcp;
mod mcp_faults;
mod mcp_real;
mod mcp_server;
mod mcp_sse;
mod odd_answers;
mod proxies;
mod server;
mod ssrf;
mod webhooks;
