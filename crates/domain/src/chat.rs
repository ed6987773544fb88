//! Requests to language models and their answers, independent of providers.
//! `engine` builds requests and reads answers, `gateways::llm` translates them to each wire format.
//! A message always serialises to the same bytes: the journal and prompt caches rely on it.

use crate::{
    agent::LlmConfig,
    ids::MessageId,
    picture::{Picture, PictureSource},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One message after the system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// An input of the agent.
    User {
        content: String,
        /// Messages of the contact whose pictures belong to the text. A request holds those that its
        /// model can be shown.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        pictures: Vec<MessageId>,
    },
    /// A message or tool calls of the agent.
    Assistant {
        /// Plain text, which an agent of version 2 sends to the contact.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        content: Option<String>,
        /// In order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        tool_calls: Vec<ToolCall>,
        /// Given back to the provider that wrote it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        opaque: Option<Opaque>,
    },
    /// The result of a tool.
    Tool {
        /// The call that this answers.
        call_id: String,
        /// As the model reads it.
        content: String,
    },
}

impl ChatMessage {
    /// An input without a picture.
    pub const fn user(content: String) -> Self {
        Self::User { content, pictures: Vec::new() }
    }

    /// A message of the agent, without parts that only a provider understands.
    pub const fn assistant(content: Option<String>, tool_calls: Vec<ToolCall>) -> Self {
        Self::Assistant { content, tool_calls, opaque: None }
    }
}

/// Parts of an answer that only its provider understands: thought signatures, thinking blocks,
/// reasoning items, unknown members of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opaque {
    /// The provider that wrote them; no other one gets them.
    pub provider: String,
    /// In the form of `gateways::llm`.
    pub parts: Value,
}

/// The form in which a request was sent: together with the history, enough to build the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rendering {
    /// For example `anthropic`.
    pub dialect: String,
    /// Names of the changes that earlier refusals of the model's server asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub adapted: Vec<String>,
    /// The answer was asked for as a stream.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub streamed: bool,
    /// Pictures that the request held.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pictures: Vec<PictureSource>,
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
    /// Tokens that the model's limit leaves for the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<u32>,
    /// Settings of the agent or the node. A provider uses those that it supports.
    #[serde(default)]
    pub llm: LlmConfig,
    /// Pictures that the messages name, loaded when the request is sent.
    #[serde(skip)]
    pub pictures: Vec<Picture>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelResponse {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Private reasoning that the provider marked as such. Kept in the trace, never shown to people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning: Option<String>,
    /// In order. Ids are as the provider gave them: possibly empty or repeated.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tool_calls: Vec<ToolCall>,
    #[serde(default)]
    pub usage: Usage,
    /// The provider counted no tokens; `usage` is an estimate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub usage_estimated: bool,
    /// The provider's name of the model that answered.
    #[serde(default)]
    pub model: String,
    #[serde(skip_serializing_if = "Ended::is_whole", default)]
    pub ended: Ended,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opaque: Option<Opaque>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rendering: Option<Box<Rendering>>,
    /// Milliseconds from the request to the first text, reasoning or call of a streamed answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_token_ms: Option<u64>,
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
    /// The provider reports a malformed call, an error, or an end of unknown meaning. Nothing of it
    /// is used.
    Malformed,
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelFailure {
    /// Decides about retries.
    pub kind: ModelFailureKind,
    /// For people: the provider's message, without keys and without the prompt.
    pub message: String,
    /// Wait that the provider asks for, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<i64>,
    /// Row of the refusal table (docs/spec/engine.md 5.3).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<String>,
    /// The offered tool that the provider refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
    /// The numbers that the provider gave for a request that is too long.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<Box<Length>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rendering: Option<Box<Rendering>>,
}

/// Tokens of a request that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// Tokens that the model reads and writes at most.
    pub limit: u64,
    /// Tokens of the request without the answer.
    pub used: u64,
}

/// Kinds of model failures (docs/spec/engine.md 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFailureKind {
    /// A retry may help: 408, 409, 429, 5xx, overloaded, connection trouble, timeout.
    #[default]
    Temporary,
    /// A retry cannot help: 400, 401, 403, 404.
    Permanent,
    /// A provider is configured without a key.
    KeyMissing,
    /// The named provider is neither the project's nor the server's: it was renamed or deleted.
    ProviderMissing,
    /// The request is longer than the model accepts: a shorter history may help, once.
    TooLong,
    /// The provider rejects a history with a call without result: a repaired one may help, once.
    BadHistory,
    /// The request was refused for its form; the next one has another form.
    Adapted,
    /// The provider's filter refused what the contact wrote.
    Filtered,
    /// The model wrote a call that its provider cannot read: it is asked again.
    Malformed,
    /// The provider refused one offered tool: the others may help.
    ToolRefused,
}
