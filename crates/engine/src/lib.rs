//! Decides what happens next in an agent graph.
//!
//! [`advance`] takes a state and inputs and returns effects. A worker performs them and feeds their outcomes. Nothing here
//! does I/O, reads a clock or draws a random number, so the same inputs always give the same effects: recovery, replay and
//! tests without mocks rest on that.
//!
//! Files import only files of an earlier group, or earlier ones of their own; `cargo xtask test` checks that no circle
//! exists.
//!
//! 1. `serde_skip`, `limits`, `facts`, `text`, `answer`, `whatsapp_text`, `tokens`, `knowledge`, `query`, `tool_result`: values and pure functions
//! 2. `effect`, `input`, `state`: what goes out, what comes in, what is stored
//! 3. `nodes`, `agent`, `variable_values`, `prompt`, `history`: an agent that is ready to run, and what the model reads
//! 4. `step_builder`: one step while it is made
//! 5. `input_queue`, `message_changes`, `lifecycle`, `send`, `wait`, `handoff`: methods of `step_builder` for inputs, ends, sends, waits and people
//! 6. `tools`, `mcp`, `summary`, `model_answer`, `model_call`, `retry`: methods of `step_builder` for tools and the model
//! 7. `compile`, `request`, `advance`: the entry points
//!
//! `transcript`, `judge`, `simulated_user` and `trial` run test cases and use only groups 1 and 2 and `tools::schema`.

mod advance;
mod agent;
mod answer;
mod compile;
mod effect;
mod facts;
mod handoff;
mod history;
mod input;
mod input_queue;
pub mod judge;
pub mod knowledge;
mod lifecycle;
pub mod limits;
mod mcp;
mod message_changes;
mod model_answer;
mod model_call;
mod nodes;
mod prompt;
mod query;
mod request;
mod retry;
mod send;
mod serde_skip;
pub mod simulated_user;
mod state;
mod step_builder;
mod summary;
mod text;
mod tokens;
mod tool_result;
mod tools;
mod transcript;
pub mod trial;
mod variable_values;
mod wait;
mod whatsapp_text;

pub use advance::advance;
pub use agent::{AgentContent, AgentVersion, CompileError, Compiled, CompiledNode, Target};
pub use effect::{CallModel, Effect, Entry, Event, McpServerRequest, Part, Step};
pub use facts::{About, Broadcast, Contact, Facts, Note, RULES, Zone};
pub use input::{EarlierMessage, ForcedEnd, Input, Retrieval, SendOutcome, ToolList};
pub use lifecycle::{fail_unrunnable, force_end};
pub use mcp::prepare_tool_lists;
pub use request::model_request;
pub use state::{
    End, FailedSend, Handoff, HistoryIndex, Inputs, Interrupt, InterruptKind, LastWrite, McpOffer, McpTools, OpenSend,
    Pending, Phase, QueuedInput, RequestedStatus, Resume, STATE_FORMAT, State, TurnCounters,
};
pub use tool_result::{ResultRule, ToolResult};
pub use tools::prepare_calls;
