//! Turns: from new input until the execution waits again.
//!
//! `step` is the heart: one engine step as one commit. A claim, a turn in progress, a settled send
//! and an API request that begins a turn (`accept`) all call it.

mod claim;
mod contact_context;
mod effects;
mod force_end;
mod loaded_execution;
mod model_answer;
mod pending;
mod secret_requests;
mod step;
mod step_inputs;
mod tool_lists;

pub use claim::{accept, spawn_continue_turn};
pub(crate) use claim::{continue_turn, run, step as claim_and_run};
pub(crate) use force_end::force_end;
pub(crate) use model_answer::{class_of, storable};
pub use step::ActiveTurn;
pub(crate) use step::{Claim, step};
