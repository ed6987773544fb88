//! What passes between an agent and a language model, in no provider's words.
//!
//! `engine` makes requests and reads answers, `gateways::llm` translates them to each wire format. A message serialises
//! to the same bytes each time: the journal and prompt caches rely on it.

use crate::agent::LlmConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of what the model sees after the system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// Something said to the agent.
    User {
        /// What was said.
        content: String,
    },
    /// Something the agent said or did.
    Assistant {
        /// Plain text, which an agent of version 2 says to the contact.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        content: Option<String>,
        /// Tools called, in order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// The call that this answers.
        call_id: String,
        /// The result as the model reads it.
        content: String,
    },
}

/// A tool call made by a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within an execution: the engine renames repeated or missing ids.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: an object, or the raw text (as a JSON string) where the model wrote no JSON.
    pub arguments: Value,
}

/// A tool as offered to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `^[A-Za-z0-9_]{1,64}$`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of an object.
    pub parameters: Value,
}

/// Which model to ask, without any key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// The provider as configured, e.g. `OpenAI`, `OpenAICompatible`, `Rehearsal`.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
}

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelRequest {
    /// The system prompt.
    pub system: String,
    /// The history, oldest first.
    pub messages: Vec<ChatMessage>,
    /// The tools on offer, in a fixed order.
    pub tools: Vec<ToolSpec>,
    /// Sampling temperature; the provider's default when absent.
    pub temperature: Option<f64>,
    /// Longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// The answer may be twice as long as it usually may, as far as the model can write that much.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub doubled: bool,
    /// What the agent or the node says about the model. A provider uses what it can.
    #[serde(default)]
    pub llm: LlmConfig,
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelResponse {
    /// Text, if any was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Tools called, in order. Ids are as the provider gave them: possibly empty or repeated.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tool_calls: Vec<ToolCall>,
    /// What it cost.
    #[serde(default)]
    pub usage: Usage,
    /// The model that answered, as the provider names it.
    #[serde(default)]
    pub model: String,
    /// How it came to its end.
    #[serde(skip_serializing_if = "Ended::is_whole", default)]
    pub ended: Ended,
}

/// How an answer came to its end (engine.md 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The model said all it wanted.
    #[default]
    Whole,
    /// By the limit of tokens. A call that was cut is not among the calls.
    Cut,
    /// By the provider's filter, or the model refused.
    Refused,
}

impl Ended {
    /// The usual end.
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// Tokens used by one call or by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Prompt tokens that came from the provider's cache.
    pub cached_tokens: u64,
}

impl Usage {
    /// Whether nothing was used.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Tokens of prompt and answer.
    pub const fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Adds another call's tokens.
    pub fn add(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
    }
}

/// Why a model gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFailure {
    /// Which kind it was; decides about retries.
    pub kind: ModelFailureKind,
    /// For people: what the provider said, without keys and without the prompt.
    pub message: String,
    /// How long the provider asks us to wait, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<i64>,
}

/// The kinds of model failure (engine.md 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFailureKind {
    /// Another try may help: 408, 409, 429, 5xx, overloaded, connection trouble, time-out.
    Temporary,
    /// Another try cannot help: 400, 401, 403, 404.
    Permanent,
    /// A provider is named and there is no key for it.
    KeyMissing,
    /// The question is longer than the model takes: a shorter history may help, once.
    TooLong,
    /// The provider takes no history with a call that has no result: a repaired one may help, once.
    BadHistory,
}
