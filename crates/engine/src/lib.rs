//! Decides what happens next in an agent graph.
//!
//! [`advance`] takes a state and inputs and gives back effects; somebody else carries them out and feeds what came of
//! them. Nothing here does I/O, reads a clock or draws a random number, so the same inputs always give the same effects:
//! that is what recovery, replay and tests without mocks rest on.

mod advance;
mod ask;
mod compile;
mod context;
mod effect;
mod facts;
mod handoff;
mod history;
mod inbox;
mod input;
pub mod judge;
pub mod knowledge;
pub mod limits;
mod mcp;
mod nodes;
mod prompt;
mod rest;
mod retry;
mod say;
pub mod simulated_user;
mod state;
mod summary;
mod tools;
pub mod trial;
mod turn;

pub use advance::advance;
pub use compile::{AgentContent, AgentVersion, CannotRun, Compiled, CompiledNode, Target};
pub use effect::{CallModel, Effect, Entry, Event, Step, TimerKind};
pub use facts::{About, Broadcast, Contact, Facts, Note, Zone};
pub use history::model_request;
pub use input::{EarlierMessage, Input, Retrieval, SendOutcome};
pub use mcp::{AskedServer, McpOffer, McpTools, ToolList};
pub use state::{
    FailedSend, Interrupt, InterruptKind, OpenSend, Pending, Resume, STATE_FORMAT, State, TurnCounters, Waiting, Wanted,
};
pub use turn::fail_unrunnable;
