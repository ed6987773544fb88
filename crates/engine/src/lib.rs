//! Decides what happens next in an agent graph.
//!
//! [`advance`] takes a state and inputs and returns effects. A worker performs them and feeds their outcomes. Nothing here
//! does I/O, reads a clock or draws a random number, so the same inputs always give the same effects: recovery, replay and
//! tests without mocks rest on that.
//!
//! Files import only files of an earlier group, or earlier ones of their own; `cargo xtask test` checks that no circle
//! exists.
//!
//! 1. `limits`, `facts`, `text`, `tokens`, `knowledge`: values and pure functions
//! 2. `effect`, `input`, `state`: what goes out, what comes in, what is stored
//! 3. `nodes`, `agent`, `context`, `prompt`, `history`: an agent that is ready to run, and what the model reads
//! 4. `turn`: one step while it is made
//! 5. `inbox`, `lifecycle`, `say`, `rest`, `handoff`: methods of `turn` for inputs, ends, sends, waits and people
//! 6. `tools`, `mcp`, `summary`, `ask`, `retry`: methods of `turn` for tools and the model
//! 7. `compile`, `request`, `advance`: the entry points
//!
//! `transcript`, `judge`, `simulated_user` and `trial` run test cases and use only groups 1 and 2 and `tools::schema`.

mod advance;
mod agent;
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
mod lifecycle;
pub mod limits;
mod mcp;
mod nodes;
mod prompt;
mod request;
mod rest;
mod retry;
mod say;
pub mod simulated_user;
mod state;
mod summary;
mod text;
mod tokens;
mod tools;
mod transcript;
pub mod trial;
mod turn;

pub use advance::advance;
pub use agent::{AgentContent, AgentVersion, CannotRun, Compiled, CompiledNode, Target};
pub use effect::{AskedServer, CallModel, Effect, Entry, Event, Step, TimerKind};
pub use facts::{About, Broadcast, Contact, Facts, Note, Zone};
pub use input::{EarlierMessage, Input, Retrieval, SendOutcome, ToolList};
pub use lifecycle::fail_unrunnable;
pub use request::model_request;
pub use state::{
    FailedSend, Interrupt, InterruptKind, McpOffer, McpTools, OpenSend, Pending, Resume, STATE_FORMAT, State,
    TurnCounters, Waiting, Wanted,
};
