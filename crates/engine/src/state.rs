//! The durable state of an execution: small, and enough to go on from.
//!
//! It is saved with every step. What the model has seen is not in it: history is append-only rows, and the state keeps
//! only where things stand in them.

mod counters;
mod interrupt;
mod mcp_tools;
mod pending;
mod queue;

pub use self::{
    counters::TurnCounters,
    interrupt::{Interrupt, InterruptKind},
    mcp_tools::{McpOffer, McpTools},
    pending::{FailedSend, OpenSend, Pending},
    queue::{Resume, Waiting, Wanted},
};
use crate::facts::{About, Contact, Facts};
use domain::{
    Timestamp,
    chat::{ToolCall, Usage},
    execution::{ExecutionError, ExecutionStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The format that [`State`] is written in. A change of shape raises it and adds an upcaster to `upcast.rs`; a new field that may be
/// missing is none, and gets a sample that has it.
pub const STATE_FORMAT: i64 = 1;

/// Everything that an execution needs to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Who talks with whom.
    pub facts: Facts,
    /// What is known of the contact by now, where that is more than the facts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<Contact>,
    /// The fields of the payload that began the execution; `{{vars.…}}`.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub vars: Map<String, Value>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// The node being visited, by name.
    pub node: String,
    /// The step prompt of this visit is still to be shown.
    pub entering: bool,
    /// For a visit of a global node: where it was entered from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub triggering_node: Option<String>,
    /// For a handoff: the node to return to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub return_to: Option<String>,
    /// Why a person was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handoff_reason: Option<String>,
    /// Tool calls without a result, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub calls: Vec<ToolCall>,
    /// Why it rests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interrupt: Option<Interrupt>,
    /// What must happen before the next step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<Pending>,
    /// Sends without an outcome.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sends: Vec<OpenSend>,
    /// Failed sends that the model has not been told of.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failed_sends: Vec<FailedSend>,
    /// Inputs for the next safe point.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub inbox: Vec<Waiting>,
    /// What others said in our name, for the next safe point.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub outside: Vec<String>,
    /// A resume call that was not acted on yet; the inner value is its message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resume: Option<Resume>,
    /// A stop request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop: Option<String>,
    /// A status that the API wants.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Wanted>,
    /// The open call whose message is said already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
    /// When the contact was last heard.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub heard_at: Option<Timestamp>,
    /// Links that the contact wrote: the agent does not send what is behind them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<String>,
    /// Rough sizes in tokens of the newest entries of history, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sizes: Vec<u32>,
    /// Counters of this turn.
    pub turn: TurnCounters,
    /// Turns begun.
    pub turn_no: i64,
    /// Entries of history so far.
    pub history_len: i64,
    /// The first thing that the contact said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_input: Option<i64>,
    /// The step prompt of the current visit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_prompt: Option<i64>,
    /// What stands for the oldest entries that the model is not shown any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub summary: Option<Summary>,
    /// What the MCP servers of the node that was visited last, of those that have any, offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mcp: Option<McpTools>,
    /// What the contact said last; `{{last_user_input}}`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_input: Option<String>,
    /// Number of the next effect, call or interrupt.
    pub next_id: u64,
    /// Number of the next event.
    pub next_event: u64,
    /// Which rest the timer belongs to.
    pub generation: i64,
    /// Tokens used.
    pub usage: Usage,
    /// Tokens used by model, where the provider named it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub usage_by_model: BTreeMap<String, Usage>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_reason: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ExecutionError>,
}

/// What was said up to an entry, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The summary, as a model wrote it.
    pub text: String,
    /// The newest entry that it stands for.
    pub to: i64,
}

impl State {
    /// The state of an execution that has not begun.
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            contact: None,
            vars: Map::new(),
            status: ExecutionStatus::Started,
            node: domain::agent::START.into(),
            entering: false,
            triggering_node: None,
            return_to: None,
            handoff_reason: None,
            calls: Vec::new(),
            interrupt: None,
            pending: None,
            sends: Vec::new(),
            failed_sends: Vec::new(),
            inbox: Vec::new(),
            outside: Vec::new(),
            resume: None,
            stop: None,
            wanted: None,
            said: None,
            heard_at: None,
            links: Vec::new(),
            sizes: Vec::new(),
            turn: TurnCounters::default(),
            turn_no: 0,
            history_len: 0,
            first_input: None,
            step_prompt: None,
            summary: None,
            mcp: None,
            last_input: None,
            next_id: 1,
            next_event: 1,
            generation: 0,
            usage: Usage::default(),
            usage_by_model: BTreeMap::new(),
            end_reason: None,
            error: None,
        }
    }

    /// Reads a stored state of any format that was ever released.
    pub fn load(format: i64, text: &str) -> Result<Self, String> {
        match format {
            STATE_FORMAT => serde_json::from_str(text).map_err(|error| error.to_string()),
            newer if newer > STATE_FORMAT => Err(format!("format {newer} is newer than this program")),
            other => Err(format!("unknown format {other}")),
        }
    }

    /// The name on the contact's profile.
    pub(crate) fn profile_name(&self) -> Option<&str> {
        let newest = self.contact.as_ref().and_then(|contact| contact.profile_name.as_deref());
        newest.or(self.facts.profile_name.as_deref())
    }

    /// What else is known of the contact.
    pub(crate) fn about(&self) -> &About {
        self.contact.as_ref().map_or(&self.facts.about, |contact| &contact.about)
    }

    /// Whether a worker is to carry something out and has not told yet what came of it. Found so by another one, that worker is gone.
    pub fn is_in_hand(&self) -> bool {
        match &self.pending {
            Some(Pending::Model { not_before, .. }) => not_before.is_none(),
            Some(Pending::Tool { .. } | Pending::Retrieval { .. } | Pending::ToolList { .. }) => true,
            _ => false,
        }
    }

    /// When a worker must look at it again without any input.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match &self.pending {
            Some(Pending::Model { not_before, .. }) => *not_before,
            _ => None,
        }
    }

    /// What the servers of the node being visited offer, as far as they have been asked.
    pub(crate) fn offers(&self) -> &[McpOffer] {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node).map_or(&[], |mcp| &mcp.tools)
    }

    /// What those offers take of each question.
    pub(crate) fn offers_tokens(&self) -> u32 {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node).map_or(0, |mcp| mcp.tokens)
    }

    /// The servers of the node being visited that cannot be used now.
    pub(crate) fn unavailable(&self) -> Option<&BTreeSet<String>> {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node && !mcp.unavailable.is_empty()).map(|mcp| &mcp.unavailable)
    }

    /// The rest that this execution is in, if a resume that names one means it.
    pub fn rests_in(&self, interrupt: Option<&str>) -> bool {
        match (&self.interrupt, interrupt) {
            (Some(active), Some(named)) => active.id == named,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }
}
