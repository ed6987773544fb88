//! Requests to language models and their answers, independent of providers.
//! `engine` builds requests and reads answers, `gateways::llm` translates them to each wire format.
//! A message always serialises to the same bytes: the journal and prompt caches rely on it.

use crate::agent::LlmConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One message after the system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// An input of the agent.
    User { content: String },
    /// A message or tool calls of the agent.
    Assistant {
        /// Plain text, which an agent of version 2 sends to the contact.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        content: Option<String>,
        /// In order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        tool_calls: Vec<ToolCall>,
    },
    /// The result of a tool.
    Tool {
        /// The call that this answers.
        call_id: String,
        /// As the model reads it.
        content: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within an execution: the engine renames repeated or missing ids.
    pub id: String,
    pub name: String,
    /// An object, or the raw text as a JSON string where the model wrote no JSON.
    pub arguments: Value,
}

/// A tool as offered to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `^[A-Za-z0-9_]{1,64}$`.
    pub name: String,
    /// For the model.
    pub description: String,
    /// JSON Schema of an object.
    pub parameters: Value,
}

/// Provider and model, without a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// As configured, for example `OpenAI`, `OpenAICompatible`, `Rehearsal`.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
}

/// One request to a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelRequest {
    pub system: String,
    /// The history, oldest first.
    pub messages: Vec<ChatMessage>,
    /// In a fixed order.
    pub tools: Vec<ToolSpec>,
    /// The provider's default if absent.
    pub temperature: Option<f64>,
    /// Longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// The answer may be twice as long as usual, as far as the model allows.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub doubled: bool,
    /// Settings of the agent or the node. A provider uses those that it supports.
    #[serde(default)]
    pub llm: LlmConfig,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelResponse {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// In order. Ids are as the provider gave them: possibly empty or repeated.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tool_calls: Vec<ToolCall>,
    #[serde(default)]
    pub usage: Usage,
    /// The provider's name of the model that answered.
    #[serde(default)]
    pub model: String,
    #[serde(skip_serializing_if = "Ended::is_whole", default)]
    pub ended: Ended,
}

/// The end of an answer (docs/spec/engine.md 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Complete.
    #[default]
    Whole,
    /// Cut by the token limit. A call that was cut is not among the calls.
    Cut,
    /// Refused by the model or filtered by the provider.
    Refused,
}

impl Ended {
    /// True for a complete answer.
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// Tokens used by one call or by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Prompt tokens that came from the provider's cache.
    pub cached_tokens: u64,
}

impl Usage {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Tokens of prompt and answer.
    pub const fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    pub fn add(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
    }
}

/// The failure of a model call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFailure {
    /// Decides about retries.
    pub kind: ModelFailureKind,
    /// For people: the provider's message, without keys and without the prompt.
    pub message: String,
    /// Wait that the provider asks for, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<i64>,
}

/// Kinds of model failures (docs/spec/engine.md 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFailureKind {
    /// A retry may help: 408, 409, 429, 5xx, overloaded, connection trouble, timeout.
    Temporary,
    /// A retry cannot help: 400, 401, 403, 404.
    Permanent,
    /// A provider is configured without a key.
    KeyMissing,
    /// The request is longer than the model accepts: a shorter history may help, once.
    TooLong,
    /// The provider rejects a history with a call without result: a repaired one may help, once.
    BadHistory,
}
