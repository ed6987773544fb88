//! The only crate with SQL: SQLite and PostgreSQL behind one text.
//!
//! `db/` opens either database and runs transactions; each other file holds one resource's rows and
//! statements and nothing else. Every function takes the project first; those that cannot live in
//! `unscoped.rs`, and in `due.rs` and `expired.rs` for the workers.

mod db;
mod search;

#[cfg(feature = "testing")]
pub use db::{admin, list::Variant, sql::Sql, tables};
pub use db::{
    backup::{self, BACKUP_MARK},
    conn::{Conn, Reader, Scope, Transaction, Tx},
    error::{Error, Result},
    inspection::{Inspection, Schema},
    paths::side_files,
    store::{CommitObserver, Store},
    transact::Retryable,
    url::DatabaseUrl,
};
#[doc(hidden)]
pub use db::{point, transact::MAX_TRIES};

/// Declares the resource files and lists their statements, so that tests cover all.
macro_rules! resources {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {
        $($(#[$meta])* pub mod $name;)*

        /// Every statement of every file as (file, name, text), for the test that runs them on both
        /// engines.
        #[cfg(feature = "testing")]
        pub fn statements() -> Vec<(&'static str, &'static str, db::sql::Sql)> {
            let mut all = Vec::new();
            $(all.extend($name::ALL.iter().map(|(name, sql)| (stringify!($name), *name, *sql)));)*
            all
        }
    };
}

resources! {
    agent_whatsapp_configs, agents, api_keys, audit, #[cfg(feature = "testing")] census, cli_logins, contact_identities, contact_joins, contact_notes, contacts,
    conversation_assignments, conversations, counters, customers, due, events, execution_list, executions, expired, history,
    hook_deliveries, hook_endpoints, hook_events, idempotency, inbox, invitations, jobs,
    journal, mailbox, mcp_pins, members, message_changes, messages, model_providers, outbox, platform_settings, project_deletion, projects, sandbox_sessions, secrets, sessions,
    setup_links, suspects, test_cases, test_chats,
    test_runs, test_suites, timers, unscoped, uploads, users, webhook_events, whatsapp_configs, whatsapp_template_syncs,
    whatsapp_templates,
}

/// Every list with optional filters, as (file, its statements), for the test that looks at their
/// plans.
#[cfg(feature = "testing")]
pub fn lists() -> Vec<(&'static str, Vec<Variant>)> {
    vec![
        ("audit", audit::LIST.variants()),
        ("contacts", contacts::LIST.variants()),
        ("conversations", conversations::LIST.variants()),
        ("customers", customers::LIST.variants()),
        ("executions", executions::LIST.variants()),
        ("whatsapp_configs", whatsapp_configs::LIST.variants()),
        ("whatsapp_templates", whatsapp_templates::LIST.variants()),
    ]
}
