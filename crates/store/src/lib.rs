//! The only crate with SQL: SQLite and PostgreSQL behind one text.
//!
//! `db/` opens either database and runs transactions; each other file holds one resource's rows and statements and
//! nothing else. Every function takes the project first; those that cannot live in `unscoped.rs`.

mod db;
mod search;

#[doc(hidden)]
pub use db::{admin, point};
pub use db::{
    error::Error,
    sql::{Sql, narrowings},
    store::{CommitObserver, Conn, DatabaseUrl, MAX_TRIES, Reader, Retryable, Store, Transaction, Tx},
};

/// What store functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Declares the resource files and lists their statements, so that none can be forgotten.
macro_rules! resources {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every statement of every file as (file, name, text): what the test runs on both engines.
        pub fn statements() -> Vec<(&'static str, &'static str, Sql)> {
            let mut all = Vec::new();
            $(all.extend($name::ALL.iter().map(|(name, sql)| (stringify!($name), *name, *sql)));)*
            all
        }
    };
}

resources! {
    agent_whatsapp_configs, agents, api_keys, audit, census, cli_logins, contact_notes, contacts,
    conversation_assignments, conversations, counters, customers, events, executions, history, idempotency, jobs,
    journal, mailbox, messages, outbox, platform_settings, projects, sandbox_sessions, secrets, test_cases, test_chats,
    test_runs, test_suites, timers, unscoped, uploads, users, webhook_events, whatsapp_configs, whatsapp_template_syncs,
    whatsapp_templates,
}
