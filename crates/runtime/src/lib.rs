//! Runs agents without HTTP: ingests webhooks, runs turns, sends messages and runs jobs.
//!
//! `server` starts the workers and calls these modules from its handlers; the simulator calls the
//! same ones. Modules import only modules that precede them in this order, from the foundation
//! upwards (checked by `cargo xtask imports`):
//!
//! 1. foundation: `failpoint`, `clock`, `json`, `deleted_text`, `derived_id`, `data_dir`, `node`, `worker_step`,
//!    `cpu`, `byte_cache`, `metric_table`, `log_limit`, `feed`
//! 2. shared by all workers of a node: `leases`, `interrupts`, `in_flight`, `slots`, `knowledge_cache`,
//!    `mcp_cache`, `provider_cache`, `context`, `events`, `unanswered`
//! 3. conversations: `suspects`, `mailbox`, `hooks`, `secrets`, `model_providers`, `senders`,
//!    `number_proof`, `sandbox`, `channel`, `media`, `templates`
//! 4. the outbox and the owner of a conversation: `outbox`, `ownership`, `quarantine`
//! 5. executions: `execution`, `replay`, `test_mode`
//! 6. workers: `ingest`, `jobs`, `pictures`, `turn`, `dispatch`, `trials`, `timers`, `hook_delivery`,
//!    `poison`, `workers`

mod byte_cache;
pub mod channel;
mod clock;
pub mod context;
pub mod cpu;
pub mod data_dir;
pub mod deleted_text;
mod derived_id;
pub mod dispatch;
pub mod events;
mod execution;
pub mod failpoint;
pub mod feed;
pub mod hook_delivery;
pub mod hooks;
mod in_flight;
pub mod ingest;
pub mod interrupts;
pub mod jobs;
pub mod json;
mod knowledge_cache;
mod leases;
mod log_limit;
pub mod mailbox;
mod mcp_cache;
pub mod media;
pub mod metric_table;
pub mod model_providers;
pub mod node;
pub mod number_proof;
pub mod outbox;
pub mod ownership;
pub mod pictures;
pub mod poison;
mod provider_cache;
pub mod quarantine;
pub mod replay;
pub mod sandbox;
pub mod secrets;
pub mod senders;
pub mod slots;
mod suspects;
pub mod templates;
pub mod test_mode;
mod timers;
pub mod trials;
pub mod turn;
pub mod unanswered;
mod worker_step;
pub mod workers;

pub use clock::Clock;
pub use context::{Context, Parts, Randomness, Sandbox};
pub use in_flight::{InFlight, Left};
