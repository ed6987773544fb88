//! REST resources: one folder each, with a file per endpoint and `view.rs` for the API
//! representation.

pub(crate) mod agent_snapshots;
pub(crate) mod agent_whatsapp_configs;
pub(crate) mod agents;
pub(crate) mod api_keys;
pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod cli;
pub(crate) mod contact_notes;
pub(crate) mod contacts;
pub(crate) mod conversation_assignments;
pub(crate) mod conversation_executions;
pub(crate) mod conversations;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod executions;
pub(crate) mod inbox;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod model_providers;
pub(crate) mod models;
pub(crate) mod projects;
pub(crate) mod sandbox_sessions;
pub(crate) mod secrets;
pub(crate) mod setup_links;
pub(crate) mod setup_page;
pub(crate) mod test_cases;
pub(crate) mod test_chats;
pub(crate) mod test_runs;
pub(crate) mod test_suites;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_endpoints;
pub(crate) mod whatsapp_configs;
pub(crate) mod whatsapp_templates;
pub(crate) mod whatsapp_webhooks;

use crate::AppState;
use utoipa_axum::router::OpenApiRouter;

/// Routes under `/api/v1` and their part of the document, sorted by name.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(agent_snapshots::routes())
        .merge(agent_whatsapp_configs::routes())
        .merge(agents::routes())
        .merge(api_keys::routes())
        .merge(audit::routes())
        .merge(contact_notes::routes())
        .merge(contacts::routes())
        .merge(conversation_assignments::routes())
        .merge(conversation_executions::routes())
        .merge(conversations::routes())
        .merge(customers::routes())
        .merge(events::routes())
        .merge(executions::routes())
        .merge(inbox::routes())
        .merge(invitations::routes())
        .merge(members::routes())
        .merge(messages::routes())
        .merge(model_providers::routes())
        .merge(models::routes())
        .merge(projects::routes())
        .merge(sandbox_sessions::routes())
        .merge(secrets::routes())
        .merge(setup_links::routes())
        .merge(test_cases::routes())
        .merge(test_chats::routes())
        .merge(test_runs::routes())
        .merge(test_suites::routes())
        .merge(webhook_deliveries::routes())
        .merge(webhook_endpoints::routes())
        .merge(whatsapp_configs::routes())
        .merge(whatsapp_templates::routes())
        .merge(whatsapp_webhooks::routes())
}
