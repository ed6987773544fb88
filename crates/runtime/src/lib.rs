//! Runs agents without HTTP: takes parsed webhooks in, carries turns on, sends messages, and does everything that is due.
//!
//! `server` starts the workers here and calls the functions below from its handlers; a simulator calls the same ones.

pub mod channel;
mod clock;
pub mod context;
pub mod data_dir;
mod delivery;
pub mod derived;
pub mod failpoint;
pub mod ingest;
pub mod interrupts;
pub mod jobs;
pub mod json;
mod knowledge_cache;
mod leases;
pub mod mailbox;
mod mcp_cache;
pub mod media;
pub mod node;
pub mod outbox;
pub mod ownership;
pub mod replay;
pub mod sandbox;
pub mod secrets;
pub mod templates;
pub mod test_mode;
mod timers;
pub mod trials;
pub mod turn;
pub mod workers;

pub use clock::Clock;
pub use context::{Context, Parts, Randomness, Sandbox};
pub use delivery::{carry_out, overhear};
