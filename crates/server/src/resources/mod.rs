//! The REST resources: a folder each, a file for each endpoint, and `view.rs` for how one is shown.

pub(crate) mod agent_snapshots;
pub(crate) mod agent_whatsapp_configs;
pub(crate) mod agents;
pub(crate) mod cli;
pub(crate) mod contact_notes;
pub(crate) mod contacts;
pub(crate) mod conversation_assignments;
pub(crate) mod conversation_executions;
pub(crate) mod conversations;
pub(crate) mod customers;
pub(crate) mod executions;
pub(crate) mod messages;
pub(crate) mod projects;
pub(crate) mod sandbox_sessions;
pub(crate) mod secrets;
pub(crate) mod test_cases;
pub(crate) mod test_chats;
pub(crate) mod test_runs;
pub(crate) mod test_suites;
pub(crate) mod whatsapp_configs;
pub(crate) mod whatsapp_templates;
