//! The REST resources: a folder each, a file for each endpoint, and `view.rs` for how one is shown.

pub(crate) mod agents;
pub(crate) mod conversations;
pub(crate) mod executions;
pub(crate) mod messages;
pub(crate) mod sandbox_sessions;
pub(crate) mod secrets;
