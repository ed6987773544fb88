//! The durable state of an execution, saved with every step.
//! It stays small: history is append-only rows, and the state holds only positions in them.

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
    queue::{QueuedInput, RequestedStatus, Resume},
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

/// Format of a stored [`State`]. A changed shape raises it and adds an upcaster to `upcast.rs`. A
/// new field with a default raises nothing and gets a sample that has it.
pub const STATE_FORMAT: i64 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub facts: Facts,
    /// Contact context, once it differs from the facts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<Contact>,
    /// Fields of the payload that started the execution; `{{vars.…}}`.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub vars: Map<String, Value>,
    pub status: ExecutionStatus,
    /// Name of the node being visited.
    pub node: String,
    /// The step prompt of this visit is not shown yet.
    pub entering: bool,
    /// For a visit of a global node: the node that it was entered from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub triggering_node: Option<String>,
    /// For a handoff: the node to return to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub return_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handoff_reason: Option<String>,
    /// Tool calls without a result, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub calls: Vec<ToolCall>,
    /// The active interrupt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interrupt: Option<Interrupt>,
    /// The pending effect, or the sends that are waited for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<Pending>,
    /// Sends without an outcome.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sends: Vec<OpenSend>,
    /// Failed sends that the model has not seen.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failed_sends: Vec<FailedSend>,
    /// Inputs for the next safe point.
    #[serde(rename = "inbox", skip_serializing_if = "Vec::is_empty", default)]
    pub queued_inputs: Vec<QueuedInput>,
    /// Messages that others sent to the contact, for the next safe point.
    #[serde(rename = "outside", skip_serializing_if = "Vec::is_empty", default)]
    pub external_messages: Vec<String>,
    /// A resume that no step has acted on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resume: Option<Resume>,
    /// A stop that no step has acted on; its reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop: Option<String>,
    /// A status set by the API that no step has acted on.
    #[serde(rename = "wanted", skip_serializing_if = "Option::is_none", default)]
    pub requested_status: Option<RequestedStatus>,
    /// The open call whose message was sent already.
    #[serde(rename = "said", skip_serializing_if = "Option::is_none", default)]
    pub sent_call: Option<String>,
    /// Time of the contact's latest message.
    #[serde(rename = "heard_at", skip_serializing_if = "Option::is_none", default)]
    pub last_message_at: Option<Timestamp>,
    /// Links that the contact wrote; the agent sends no media from them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<String>,
    /// Estimated tokens of the newest entries of history, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sizes: Vec<u32>,
    pub turn: TurnCounters,
    /// Turns started.
    pub turn_no: i64,
    /// Number of entries of history.
    pub history_len: i64,
    /// Entry of the contact's first message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_input: Option<i64>,
    /// Entry of the step prompt of the current visit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_prompt: Option<i64>,
    /// Replaces the oldest entries, which are not shown to the model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub summary: Option<Summary>,
    /// Tools of the MCP servers of the latest visited node that has any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mcp: Option<McpTools>,
    /// The contact's latest message; `{{last_user_input}}`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_input: Option<String>,
    /// Number of the next effect, call or interrupt.
    pub next_id: u64,
    /// Number of the next event.
    pub next_event: u64,
    /// The wait that the timer belongs to.
    pub generation: i64,
    pub usage: Usage,
    /// By model, where the provider named it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub usage_by_model: BTreeMap<String, Usage>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ExecutionError>,
}

/// Summary of the oldest entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// As a model wrote it.
    pub text: String,
    /// Newest entry that it covers.
    pub to: i64,
}

impl State {
    /// State of an execution that has not started.
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
            queued_inputs: Vec::new(),
            external_messages: Vec::new(),
            resume: None,
            stop: None,
            requested_status: None,
            sent_call: None,
            last_message_at: None,
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

    /// Loads a stored state of any released format.
    pub fn load(format: i64, text: &str) -> Result<Self, String> {
        match format {
            STATE_FORMAT => serde_json::from_str(text).map_err(|error| error.to_string()),
            newer if newer > STATE_FORMAT => Err(format!("format {newer} is newer than this program")),
            other => Err(format!("unknown format {other}")),
        }
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
        match &self.pending {
            Some(Pending::Model { not_before, .. }) => not_before.is_none(),
            Some(Pending::Tool { .. } | Pending::Retrieval { .. } | Pending::ToolList { .. }) => true,
            _ => false,
        }
    }

    /// Time at which a worker must continue without any input.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match &self.pending {
            Some(Pending::Model { not_before, .. }) => *not_before,
            _ => None,
        }
    }

    /// Tools of the visited node's MCP servers, as far as they were listed.
    pub(crate) fn offers(&self) -> &[McpOffer] {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node).map_or(&[], |mcp| &mcp.tools)
    }

    /// Tokens that those tools take of each request.
    pub(crate) fn offers_tokens(&self) -> u32 {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node).map_or(0, |mcp| mcp.tokens)
    }

    /// The visited node's MCP servers that could not be reached.
    pub(crate) fn unavailable(&self) -> Option<&BTreeSet<String>> {
        self.mcp.as_ref().filter(|mcp| mcp.node == self.node && !mcp.unavailable.is_empty()).map(|mcp| &mcp.unavailable)
    }

    /// True if a resume that names this interrupt, or none, applies.
    pub fn accepts_resume(&self, interrupt: Option<&str>) -> bool {
        match (&self.interrupt, interrupt) {
            (Some(active), Some(named)) => active.id == named,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }
}
