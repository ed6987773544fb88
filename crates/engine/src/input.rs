//! What the engine is fed. Every input is journaled with the clock reading of its step, so that a replay sees the same.

use crate::facts::Contact;
use domain::{
    Timestamp,
    chat::{ModelFailure, ModelResponse},
    execution::{ExecutionInput, ExecutionStatus},
    message::Direction,
    tool_request::ToolAnswer,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One input of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// The contact said something.
    Said {
        /// The stored message.
        id: String,
        /// What was said.
        text: String,
    },
    /// A system gave data that nobody said.
    Data {
        /// The input.
        id: String,
        /// Any JSON.
        value: Value,
    },
    /// A person or a program wrote to the contact in our name.
    Outside {
        /// The stored message.
        id: String,
        /// What was said.
        text: String,
    },
    /// The API resumes an execution.
    Resume {
        /// The input.
        id: String,
        /// What came with it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        message: Option<ExecutionInput>,
        /// The rest that it means; another one is not ended by it. Any when absent.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        interrupt: Option<String>,
    },
    /// The worker that had the turn is gone, and another one goes on from what was stored last.
    TakenOver,
    /// What is known of the contact by now. Comes with what is said, where it is not what the execution knows already.
    Contact(Contact),
    /// What was said in the conversation before the execution began, oldest first; later it changes nothing.
    Earlier {
        /// The messages.
        messages: Vec<EarlierMessage>,
    },
    /// The API sets a status: `paused`, `ended`, `handoff` or `failed`. One that does not follow changes nothing.
    SetStatus {
        /// The input.
        id: String,
        /// Where the execution shall stand.
        status: ExecutionStatus,
        /// Why.
        reason: String,
    },
    /// Somebody stops the execution.
    Stop {
        /// The input.
        id: String,
        /// Why.
        reason: String,
    },
    /// A timer fired.
    Timer {
        /// Which rest it belongs to; another generation's is ignored.
        generation: i64,
    },
    /// A model answered.
    Model {
        /// The effect.
        effect: String,
        /// The answer.
        response: ModelResponse,
    },
    /// A model gave no answer.
    ModelFailed {
        /// The effect.
        effect: String,
        /// Why.
        failure: ModelFailure,
    },
    /// A webhook tool answered, or did not.
    Tool {
        /// The effect.
        effect: String,
        /// What came of it.
        answer: ToolAnswer,
    },
    /// A knowledge base was searched.
    Retrieved {
        /// The effect.
        effect: String,
        /// What came of it.
        retrieval: Retrieval,
    },
    /// MCP servers were asked which tools they have.
    ToolsListed {
        /// The effect.
        effect: String,
        /// One for each server, in the same order.
        lists: Vec<ToolList>,
    },
    /// Secrets that a request names and the project does not have: the request left without them.
    SecretsMissing {
        /// The names.
        names: Vec<String>,
    },
    /// A send is settled.
    Sent {
        /// The effect.
        effect: String,
        /// What came of it.
        outcome: SendOutcome,
    },
}

/// A message from before an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierMessage {
    /// Who said it.
    pub direction: Direction,
    /// What was said.
    pub text: String,
    /// When.
    pub sent_at: Timestamp,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Retrieval {
    /// The passages that fit, the best first.
    Found {
        /// As the model reads them.
        passages: Vec<String>,
    },
    /// It could not be searched.
    Failed,
}

/// What one server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolList {
    /// The server, as the node names it.
    pub server: String,
    /// A list of [`McpTool`] as content, or why there is none.
    pub answer: ToolAnswer,
}

/// What came of a send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SendOutcome {
    /// WhatsApp has it.
    Accepted {
        /// Our id of the message.
        message_id: String,
    },
    /// It was not sent.
    Failed {
        /// `send_failed`, `outside_service_window` or `channel_auth`.
        code: String,
        /// For the model and for people.
        message: String,
    },
    /// Nobody knows.
    Unconfirmed {
        /// Our id of the message.
        message_id: String,
    },
}
