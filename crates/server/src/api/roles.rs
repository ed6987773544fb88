//! Least role for each operation of the API (docs/operations.md, "Roles").
//!
//! [`crate::auth::ProjectContext`] checks it, which every handler of a project takes. An operation
//! without a row is refused; the walk fails for it.

use axum::http::Method;
use domain::role::Role::{self, Builder, Inbox, Owner, Viewer};
use serde_json::{Value, json};
use std::collections::HashMap;
use utoipa::openapi::OpenApi;

/// Operation ids by least role, each sorted by name.
const TABLE: [(Role, &[&str]); 4] = [
    (
        Viewer,
        &[
            "count_inbox",
            "get_inbox_entry",
            "get_project",
            "get_whatsapp_contact",
            "get_whatsapp_contact_note",
            "get_whatsapp_conversation",
            "get_whatsapp_conversation_agent_execution",
            "list_conversation_assignments",
            "list_events",
            "list_inbox",
            "list_inbox_messages",
            "list_members",
            "list_projects",
            "list_whatsapp_contact_notes",
            "list_whatsapp_contacts",
            "list_whatsapp_conversation_agent_executions",
            "list_whatsapp_conversations",
            "list_whatsapp_messages",
            "mark_inbox_read",
        ],
    ),
    (
        Inbox,
        &[
            "create_conversation_assignment",
            "create_standalone_whatsapp_message",
            "create_whatsapp_contact_note",
            "create_whatsapp_message",
            "delete_whatsapp_contact_note",
            "get_whatsapp_template",
            "list_whatsapp_templates",
            "mark_whatsapp_message_as_read",
            "resume_agent_execution",
            "send_whatsapp_template",
            "update_agent_execution",
            "update_conversation_assignment",
            "update_whatsapp_contact",
            "update_whatsapp_contact_note",
            "update_whatsapp_conversation",
        ],
    ),
    (
        Builder,
        &[
            "cancel_test_run",
            "check_model_provider",
            "create_agent",
            "create_agent_snapshot",
            "create_agent_snapshot_test_chat",
            "create_agent_test_chat",
            "create_agent_whatsapp_config",
            "create_customer",
            "create_customer_whatsapp_config",
            "create_model_provider",
            "create_sandbox_session",
            "create_setup_link",
            "create_test_case",
            "create_test_run",
            "create_test_suite",
            "create_webhook_endpoint",
            "create_whatsapp_contact",
            "create_whatsapp_template",
            "create_whatsapp_webhook",
            "delete_agent",
            "delete_agent_whatsapp_config",
            "delete_model_provider",
            "delete_sandbox_session",
            "delete_secret",
            "delete_test_case",
            "delete_webhook_endpoint",
            "delete_whatsapp_message",
            "delete_whatsapp_template",
            "delete_whatsapp_webhook",
            "edit_whatsapp_template_on_meta",
            "get_agent",
            "get_agent_execution",
            "get_agent_snapshot",
            "get_agent_test_chat",
            "get_agent_whatsapp_config",
            "get_agent_with_graph",
            "get_customer",
            "get_model_provider",
            "get_sandbox_session",
            "get_execution_step",
            "get_test_case",
            "get_test_run",
            "get_test_suite",
            "get_webhook_delivery",
            "get_webhook_endpoint",
            "get_whatsapp_config",
            "get_whatsapp_config_health",
            "get_whatsapp_template_sync_status",
            "get_whatsapp_webhook",
            "list_agent_execution_events",
            "list_agent_executions",
            "list_agent_snapshots",
            "list_agent_test_suites",
            "list_agent_whatsapp_configs",
            "list_agents",
            "list_customer_whatsapp_configs",
            "list_customers",
            "list_executions",
            "list_model_providers",
            "list_models",
            "list_sandbox_sessions",
            "list_secrets",
            "list_setup_links",
            "list_test_cases",
            "list_test_runs",
            "list_test_suite_runs",
            "list_webhook_deliveries",
            "list_webhook_endpoints",
            "list_whatsapp_configs",
            "list_whatsapp_webhooks",
            "replay_failed_webhook_deliveries",
            "replay_webhook_delivery",
            "restart_sandbox_session",
            "resume_agent_test_chat",
            "resume_webhook_endpoint",
            "rotate_webhook_endpoint_secret",
            "run_test_suite",
            "set_secret",
            "start_agent_execution",
            "submit_whatsapp_template",
            "sync_whatsapp_templates",
            "test_webhook_endpoint",
            "update_agent",
            "update_agent_whatsapp_config",
            "update_customer",
            "update_model_provider",
            "update_setup_link",
            "update_test_case",
            "update_test_suite",
            "update_webhook_endpoint",
            "update_whatsapp_config",
            "update_whatsapp_template",
            "update_whatsapp_webhook",
        ],
    ),
    (
        Owner,
        &[
            "create_api_key",
            "create_invitation",
            "delete_customer",
            "delete_invitation",
            "delete_project",
            "delete_whatsapp_config",
            "export_audit",
            "list_api_keys",
            "list_audit",
            "list_invitations",
            "remove_member",
            "revoke_api_key",
            "rotate_api_key",
            "update_member",
            "update_project",
        ],
    ),
];

super::words!(
    /// Rights in a project; each role includes those before it.
    RoleName = "viewer",
    "inbox",
    "builder",
    "owner"
);

/// Writes that an archived project allows.
const IN_ARCHIVED: [&str; 2] = ["delete_project", "update_project"];

/// Least role of an operation.
pub(crate) fn least(operation: &str) -> Option<Role> {
    TABLE.iter().find(|(_, names)| names.contains(&operation)).map(|(role, _)| *role)
}

/// Every operation of the table, with its role; for the test that compares it with the document.
pub fn all() -> impl Iterator<Item = (&'static str, Role)> {
    TABLE.iter().flat_map(|(role, names)| names.iter().map(|name| (*name, *role)))
}

/// Rights that an operation requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) role: Role,
    /// False for writes that an archived project refuses.
    pub(crate) in_archived: bool,
}

/// Needs of all operations, by method and path.
#[derive(Debug, Default)]
pub(crate) struct Operations(HashMap<(Method, String), Needs>);

impl Operations {
    pub(crate) fn of(api: &OpenApi) -> Self {
        let paths = json!(api.paths);
        let mut all = HashMap::new();
        for (path, item) in paths.as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let name = operation["operationId"].as_str().unwrap_or_default();
                let method = method.to_uppercase().parse::<Method>();
                if let (Ok(method), Some(role)) = (method, least(name)) {
                    let in_archived = method == Method::GET || IN_ARCHIVED.contains(&name);
                    all.insert((method, path.clone()), Needs { role, in_archived });
                }
            }
        }
        Self(all)
    }

    /// `None` for an operation without a row.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<Needs> {
        let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
        self.0.get(&(method, path.to_owned())).copied()
    }
}

/// Used by documents: true for an operation that a project's key or a person calls.
pub(crate) fn is_for_projects(operation: &Value) -> bool {
    operation["security"].is_null()
}
