//! The only crate that opens outbound connections: models, Meta, user-given URLs.
//!
//! URLs of users go through [`egress`], which reaches public addresses only. URLs of the operator
//! (models of the server, Meta's Graph API) are trusted and use plain clients. Nothing here reads the environment
//! or the database. Callers decide about retries and delays.

mod body;
pub mod egress;
pub mod hooks;
mod in_process;
pub mod llm;
mod mcp;
mod parsing;
pub mod readers;
pub mod tls;
mod tool_request;
pub mod whatsapp;
mod wire;

pub use in_process::InProcess;
pub use wire::ClientError;
