//! The words of Chasqui: types and pure rules. No I/O, no clock, no randomness.

pub mod agent;
pub mod chat;
pub mod ids;
pub mod phone;
pub mod problem;
pub mod time;
pub mod tool_request;

pub use ids::Id;
pub use problem::Problem;
pub use time::{Span, Timestamp};
