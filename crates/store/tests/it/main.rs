//! What the store promises, on the engine that `TEST_DATABASE_URL` chooses: PostgreSQL, or SQLite without it.

mod agent_whatsapp_configs;
mod agents;
mod contacts;
mod conversation_assignments;
mod conversations;
mod dedupe;
mod directory;
mod executions;
mod jobs;
mod leases;
mod mailbox;
mod messages;
mod migrations;
mod outbox;
mod retries;
mod sandbox_sessions;
mod schema;
mod secrets;
mod statements;
mod support;
mod tenancy;
mod timers;
mod urls;
mod users;
mod webhook_events;
mod writer;
