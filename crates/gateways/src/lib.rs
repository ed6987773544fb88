//! The only crate that opens outbound connections: models, Meta, user-given URLs.
//!
//! URLs that users give go through [`egress`], which reaches public addresses only. URLs that the operator configures
//! (models, Meta's Graph API) are trusted and use plain clients. Nothing here reads the environment, a clock that is
//! stored, or the database; retries and their delays are decided by the callers.

mod body;
pub mod egress;
mod in_process;
pub mod llm;
mod mcp;
pub mod tls;
pub mod whatsapp;
mod wire;

pub use in_process::InProcess;
pub use wire::ClientError;
