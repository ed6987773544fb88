//! The durable state of an execution, saved with every step.
//! It stays small: history is append-only rows, and the state holds only positions in them.

mod counters;
mod history;
mod interrupt;
mod mcp_tools;
mod pending;
mod phase;
mod queue;
mod stored;
mod visit;

pub use self::{
    counters::{LastWrite, TurnCounters},
    history::{HistoryIndex, Summary},
    interrupt::{Interrupt, InterruptKind},
    mcp_tools::{McpOffer, McpTools},
    pending::{FailedSend, OpenSend, Pending},
    phase::{End, Phase},
    queue::{Inputs, QueuedInput, RequestedStatus, Resume},
    visit::{Handoff, Visit},
};
use crate::facts::{About, Contact, Facts};
use domain::{
    Timestamp,
    chat::{ToolCall, Usage},
    execution::ExecutionStatus,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Format of a stored [`State`]. A changed shape raises it and adds an upcaster in a file of its
/// own. A new field with a default raises nothing and gets a sample that has it. `stored.rs` has
/// the stored shape.
pub const STATE_FORMAT: i64 = 1;

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub facts: Facts,
    /// Contact context, once it differs from the facts.
    pub contact: Option<Contact>,
    /// Fields of the payload that started the execution; `{{vars.…}}`.
    pub vars: Map<String, Value>,
    pub phase: Phase,
    pub visit: Visit,
    pub handoff: Handoff,
    /// Tool calls without a result, in order.
    pub calls: Vec<ToolCall>,
    /// The open call whose message was sent already.
    pub sent_call: Option<String>,
    /// Sends without an outcome.
    pub sends: Vec<OpenSend>,
    /// Failed sends that the model has not seen.
    pub failed_sends: Vec<FailedSend>,
    pub inputs: Inputs,
    /// Time of the contact's latest message.
    pub last_message_at: Option<Timestamp>,
    /// The contact's latest message; `{{last_user_input}}`.
    pub last_input: Option<String>,
    /// Links that the contact wrote; the agent sends no media from them.
    pub links: Vec<String>,
    /// An input looked like a tool call: a model may repeat it, so calls in text are not taken.
    pub quotes_calls: bool,
    pub history: HistoryIndex,
    /// Tools of the MCP servers of the latest visited node that has any.
    pub mcp: Option<McpTools>,
    pub turn: TurnCounters,
    /// Turns started.
    pub turn_no: i64,
    /// Number of the next effect, call or interrupt.
    pub next_id: u64,
    /// Number of the next event.
    pub next_event: u64,
    /// The wait that the timer belongs to.
    pub generation: i64,
    pub usage: Usage,
    /// By model, where the provider named it.
    pub usage_by_model: BTreeMap<String, Usage>,
}

impl State {
    /// State of an execution that has not started.
    pub fn new(facts: Facts) -> Self {
        let node = domain::agent::START.into();
        Self {
            facts,
            contact: None,
            vars: Map::new(),
            phase: Phase::New,
            visit: Visit { node, entering: false, triggering_node: None, refused_tools: Vec::new() },
            handoff: Handoff::default(),
            calls: Vec::new(),
            sent_call: None,
            sends: Vec::new(),
            failed_sends: Vec::new(),
            inputs: Inputs::default(),
            last_message_at: None,
            last_input: None,
            links: Vec::new(),
            quotes_calls: false,
            history: HistoryIndex::default(),
            mcp: None,
            turn: TurnCounters::default(),
            turn_no: 0,
            next_id: 1,
            next_event: 1,
            generation: 0,
            usage: Usage::default(),
            usage_by_model: BTreeMap::new(),
        }
    }

    /// Loads a stored state of any released format.
    pub fn load(format: i64, text: &str) -> Result<Self, String> {
        match format {
            STATE_FORMAT => serde_json::from_str(text).map_err(|error| error.to_string()),
            newer if newer > STATE_FORMAT => Err(format!("format {newer} is newer than this program")),
            other => Err(format!("unknown format {other}")),
        }
    }

    pub const fn status(&self) -> ExecutionStatus {
        self.phase.status()
    }

    pub(crate) fn profile_name(&self) -> Option<&str> {
        let newest = self.contact.as_ref().and_then(|contact| contact.profile_name.as_deref());
        newest.or(self.facts.profile_name.as_deref())
    }

    pub(crate) fn about(&self) -> &About {
        self.contact.as_ref().map_or(&self.facts.about, |contact| &contact.about)
    }

    /// True while a worker performs a slow effect. Another worker that loads this state has reclaimed
    /// the execution.
    pub fn has_running_effect(&self) -> bool {
        match self.phase.pending() {
            Some(Pending::Model { not_before, .. }) => not_before.is_none(),
            Some(Pending::Tool { .. } | Pending::Retrieval { .. } | Pending::ToolList { .. }) => true,
            _ => false,
        }
    }

    /// Time at which a worker must continue without any input.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self.phase.pending() {
            Some(Pending::Model { not_before, .. }) => *not_before,
            _ => None,
        }
    }

    /// Tools of the visited node's MCP servers, as far as they were listed.
    pub(crate) fn offers(&self) -> &[McpOffer] {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.visit.node).map_or(&[], |mcp| &mcp.tools)
    }

    /// Tokens that those tools take of each request.
    pub(crate) fn offers_tokens(&self) -> u32 {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.visit.node).map_or(0, |mcp| mcp.tokens)
    }

    /// The visited node's MCP servers that could not be reached.
    pub(crate) fn unavailable(&self) -> Option<&BTreeSet<String>> {
        self.mcp
            .as_ref()
            .filter(|mcp| mcp.node == self.visit.node && !mcp.unavailable.is_empty())
            .map(|mcp| &mcp.unavailable)
    }

    /// True if a resume that names this interrupt, or none, applies.
    pub fn accepts_resume(&self, interrupt: Option<&str>) -> bool {
        match (self.phase.interrupt(), interrupt) {
            (Some(active), Some(named)) => active.id == named,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }
}
