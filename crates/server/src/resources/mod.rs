//! REST resources: one folder each, with a file per endpoint and `view.rs` for the API
//! representation.

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

use crate::AppState;
use utoipa_axum::router::OpenApiRouter;

/// Routes under `/api/v1` and their part of the document, sorted by name.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(agent_snapshots::routes())
        .merge(agent_whatsapp_configs::routes())
        .merge(agents::routes())
        .merge(contact_notes::routes())
        .merge(contacts::routes())
        .merge(conversation_assignments::routes())
        .merge(conversation_executions::routes())
        .merge(conversations::routes())
        .merge(customers::routes())
        .merge(executions::routes())
        .merge(messages::routes())
        .merge(projects::routes())
        .merge(sandbox_sessions::routes())
        .merge(secrets::routes())
        .merge(test_cases::routes())
        .merge(test_chats::routes())
        .merge(test_runs::routes())
        .merge(test_suites::routes())
        .merge(whatsapp_configs::routes())
        .merge(whatsapp_templates::routes())
}
