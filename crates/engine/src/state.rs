//! The durable state of an execution: small, and enough to go on from.
//!
//! It is saved with every step. What the model has seen is not in it: history is append-only rows, and the state keeps
//! only where things stand in them.

use crate::{
    effect::CallModel,
    facts::{About, Contact, Facts},
    mcp::{AskedServer, McpTools},
};
use domain::{
    Timestamp,
    chat::{ToolCall, Usage},
    execution::{ExecutionError, ExecutionInput, ExecutionStatus},
    message::Content,
    tool_request::{SecretMarks, ToolRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The format that [`State`] is written in. A change of shape raises it and adds an upcaster to `upcast.rs`; a new field that may be
/// missing is none, and gets a sample that has it.
pub const STATE_FORMAT: i64 = 1;

/// An input that waits for the next safe point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Said by the contact.
    Said {
        /// The message.
        id: String,
        /// What was said.
        text: String,
    },
    /// Data from a system.
    Data {
        /// The input.
        id: String,
        /// The data.
        value: Value,
    },
}

/// What rest means until input comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptKind {
    /// `WaitForUser`, or a text without a tool call.
    Wait,
    /// `EnterIdleState`, or the model gave no answer that could be used.
    Idle,
    /// `AskUserForInput`.
    Ask,
    /// A template whose answer is awaited.
    Template,
    /// The API has paused it.
    Manual,
    /// A person has taken over.
    Handoff,
}

/// Why the execution rests; at most one at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Unique within the execution.
    pub id: String,
    /// What rest means.
    pub kind: InterruptKind,
    /// Where it rests.
    pub node: String,
    /// The call that the next input answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<ToolCall>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When the execution ends unless somebody says something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}

/// The one thing that must happen before the next step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// A model's answer.
    Model {
        /// The question.
        call: CallModel,
        /// Failed tries so far.
        failures: u32,
        /// Not before this time, after a failed try.
        not_before: Option<Timestamp>,
        /// When it failed first.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        failing_since: Option<Timestamp>,
    },
    /// A webhook tool's answer.
    Tool {
        /// The effect.
        effect: String,
        /// The call that it answers.
        call: ToolCall,
        /// The request, with marks where secrets belong.
        request: ToolRequest,
        /// The secrets to put in before it leaves.
        #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
        secrets: SecretMarks,
        /// When it was asked for.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        since: Option<Timestamp>,
    },
    /// The passages of a knowledge base.
    Retrieval {
        /// The effect.
        effect: String,
        /// The call that it answers.
        call: ToolCall,
        /// The base's key, in the node being visited.
        base: String,
        /// What is looked for.
        queries: Vec<String>,
        /// When it was asked for.
        since: Timestamp,
    },
    /// The tools of the node's MCP servers.
    ToolList {
        /// The effect.
        effect: String,
        /// The servers that were asked.
        servers: Vec<AskedServer>,
    },
    /// The outcome of the sends that a call made.
    SendsOf {
        /// The call.
        call: ToolCall,
    },
    /// The outcome of all sends: the execution wants to rest or end.
    AllSends,
}

/// A send whose outcome is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenSend {
    /// The effect.
    pub effect: String,
    /// The call that made it; none for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    /// What is being sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<Content>,
}

/// A send that failed and that the model has not been told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedSend {
    /// The call that made it; none for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    /// e.g. `send_failed`.
    pub code: String,
    /// For the model and for people.
    pub message: String,
}

/// What is counted within one turn; a new turn starts at nought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnCounters {
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// Model calls and tool results.
    pub steps: u32,
    /// Model calls in this visit of the node.
    pub visit_calls: u32,
    /// Nodes entered.
    pub entries: u32,
    /// Moves to nowhere, in a row.
    pub bad_moves: u32,
    /// Answers without content, in a row.
    pub empty: u32,
    /// Answers thrown away because somebody wrote meanwhile.
    pub discarded: u32,
    /// Messages sent that did not rest.
    pub sends: u32,
    /// Resting messages that could not be sent.
    pub failed_sends: u32,
    /// The model was told to wrap up.
    pub wrapping_up: bool,
    /// Answers in a row that their limit cut off; after the first one the model may say twice as much.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut: u32,
    /// The model, or its provider's filter, refused to answer what was said last.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub refused: bool,
    /// Answers of version 1 in a row that said nothing to anybody: empty ones and texts without calls.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub silent: u32,
    /// Questions to the model.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub model_calls: u32,
    /// Tokens used.
    #[serde(skip_serializing_if = "Usage::is_nothing", default)]
    pub usage: Usage,
    /// What was done in the world: ids of sends and requests.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub effects: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What the API wants the execution to be, from the next safe point on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The status.
    pub status: ExecutionStatus,
    /// Why.
    pub reason: String,
}

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

/// A resume call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// The input.
    #[serde(default)]
    pub id: String,
    /// What came with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<ExecutionInput>,
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
}
