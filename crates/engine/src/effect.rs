//! What the engine asks for. It never does any of it.

use domain::{
    Timestamp,
    chat::ChatMessage,
    message::Content,
    tool_request::{SecretMarks, ToolRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something to be done outside. Ids derive from the execution and a counter: a replay asks for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Ask the model; feed `Model` or `ModelFailed`.
    CallModel(CallModel),
    /// The answer to this question is not wanted any more: give up asking. Feed nothing.
    CancelModel {
        /// The question.
        id: String,
    },
    /// Make a request; feed `Tool`.
    CallTool {
        /// Names it, and is its idempotency key.
        id: String,
        /// The request, with marks where secrets belong.
        request: ToolRequest,
        /// The secrets to put in before it leaves.
        #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
        secrets: SecretMarks,
    },
    /// Search a knowledge base of a node; feed `Retrieved`. Doing it twice does no harm.
    Retrieve {
        /// Names it.
        id: String,
        /// The node whose base it is.
        node: String,
        /// The base's key.
        base: String,
        /// What is looked for.
        queries: Vec<String>,
    },
    /// Ask MCP servers which tools they have; feed `ToolsListed`. Doing it twice does no harm.
    ListTools {
        /// Names it.
        id: String,
        /// The servers, in the node's order.
        servers: Vec<AskedServer>,
    },
    /// Send something to the contact; feed `Sent`.
    Send {
        /// Names it.
        id: String,
        /// What is sent.
        #[serde(flatten)]
        content: Content,
    },
    /// Fire at a time unless replaced; feed `Timer`.
    SetTimer {
        /// `warm_end` or `inactivity`.
        kind: TimerKind,
        /// Which rest it belongs to.
        generation: i64,
        /// When.
        fire_at: Timestamp,
    },
    /// The rest is over: remove the timer.
    ClearTimer,
}

/// What a timer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// A WarmEndNode's patience.
    WarmEnd,
    /// 24 hours without a word from the contact.
    Inactivity,
}

impl TimerKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WarmEnd => "warm_end",
            Self::Inactivity => "inactivity",
        }
    }
}

/// A question to the model, by reference: [`crate::model_request`] makes the request from it and the rows of history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallModel {
    /// Names it.
    pub id: String,
    /// The node whose tools are offered.
    pub node: String,
    /// The oldest entry of history that may be shown.
    pub from: i64,
    /// The newest one.
    pub to: i64,
    /// The first thing that the contact said, shown even when it is older.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_input: Option<i64>,
    /// The step prompt of this visit, shown even when it is older.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_prompt: Option<i64>,
    /// What the model is told the time is.
    pub at: Timestamp,
    /// Which of the configured models is asked: 0 is the first choice, then its fallbacks.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub fallback: usize,
    /// The question was too long and asks with half of the history.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub halved: bool,
    /// The answer before was cut off by its limit: this one may be twice as long.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub doubled: bool,
    /// The provider took a call in it for unanswered: each call is shown with a result.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repaired: bool,
    /// The question is what these entries say in short; no tool is offered.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub summarises: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// One of the servers that are asked at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedServer {
    /// The server, as the node names it.
    pub server: String,
    /// The request, with marks where secrets belong.
    pub request: ToolRequest,
    /// The secrets to put in before it leaves.
    #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
    pub secrets: SecretMarks,
}

/// A new entry of history.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// The node being visited.
    pub node: String,
    /// Who brought it: `contact`, `model`, `tool`, `engine`, `person` or `system`.
    pub origin: &'static str,
    /// What the model sees.
    pub message: ChatMessage,
}

/// What happened, for people (engine.md 7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the execution, from 1, without gaps.
    pub seq: u64,
    /// e.g. `node.entered`.
    pub name: String,
    /// What the name promises.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub data: Value,
}

/// What one call of [`crate::advance`] brings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
    /// What is to be appended to history.
    pub history: Vec<Entry>,
    /// What happened.
    pub events: Vec<Event>,
}
