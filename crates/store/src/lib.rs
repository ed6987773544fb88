//! The only crate with SQL: SQLite and PostgreSQL behind one text.
//!
//! `db/` opens either database and runs transactions; each other file holds one resource's rows and
//! statements and nothing else. Every function takes the project first; those that cannot live in
//! `unscoped.rs`.

mod db;
mod search;

#[cfg(feature = "testing")]
pub use db::{admin, list::Variant, sql::Sql};
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
    agent_whatsapp_configs, agents, api_keys, audit, #[cfg(feature = "testing")] census, cli_logins, contact_notes, contacts,
    conversation_assignments, conversations, counters, customers, events, executions, history, idempotency, jobs,
    journal, mailbox, messages, outbox, platform_settings, projects, sandbox_sessions, secrets, suspects, test_cases, test_chats,
    test_runs, test_suites, timers, unscoped, uploads, users, webhook_events, whatsapp_configs, whatsapp_template_syncs,
    whatsapp_templates,
}

/// Every list with optional filters, as (file, its statements), for the test that looks at their
/// plans.
#[cfg(feature = "testing")]
pub fn lists() -> Vec<(&'static str, Vec<Variant>)> {
    vec![
        ("contacts", contacts::LIST.variants()),
        ("conversations", conversations::LIST.variants()),
        ("customers", customers::LIST.variants()),
        ("executions", executions::LIST.variants()),
        ("whatsapp_configs", whatsapp_configs::LIST.variants()),
        ("whatsapp_templates", whatsapp_templates::LIST.variants()),
    ]
}
