//! The server from outside: real HTTP, the emulator as Meta, a moved clock.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod agent_links;
mod api_rules;
mod bad_input;
mod cli_login;
mod commits;
mod contacts;
mod contract;
mod conversation;
mod customers;
mod deep_json;
mod document;
mod execution_events;
mod execution_status;
mod handoff;
mod idempotency;
mod messages;
mod nothing_lost;
mod nothing_stuck;
mod outbox;
mod production;
mod rehearsal;
mod replay;
mod sandbox;
mod scenarios;
mod secrets;
mod send_faults;
mod test_chats;
mod test_runs;
mod tools;
mod walk;
mod webhooks;
mod whatsapp_configs;
