//! Types and pure rules. No I/O, no clock, no randomness.

pub mod agent;
pub mod api_key;
pub mod chat;
pub mod cli_login;
pub mod conversation;
pub mod event;
pub mod execution;
pub mod file;
pub mod ids;
pub mod job;
pub mod json;
pub mod limits;
pub mod message;
pub mod nesting;
pub mod outgoing;
pub mod phone;
pub mod problem;
mod redaction;
pub mod sandbox;
pub mod schema;
pub mod template;
pub mod time;
pub mod tool_names;
pub mod tool_request;
pub mod wording;
pub mod words;

pub use ids::Id;
pub use problem::Problem;
pub use time::{Span, Timestamp};
