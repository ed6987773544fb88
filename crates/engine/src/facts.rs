//! Facts about the execution and its contact, given from outside.

use crate::serde_skip::is_default;
use domain::{
    Timestamp,
    chat::ModelChoice,
    ids::{AgentId, ConversationId, ExecutionId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Rules of new executions ([`Facts::rules`]). 1: events hold tool results and the ids that calls
/// run under, GET requests have no body, a HandoffNode speaks. 2: answers are cleaned before they
/// are used, and a write that is repeated in a turn runs once. 3: a model whose answers cannot be
/// used is replaced by its fallbacks, and a turn that told the contact nothing does not wait; events show
/// streams and the time of their first token.
pub const RULES: u32 = 3;

/// Facts that are fixed when the execution is created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub agent_id: AgentId,
    pub execution_id: ExecutionId,
    pub conversation_id: ConversationId,
    /// `+` and digits, if known.
    pub phone_number: Option<String>,
    pub profile_name: Option<String>,
    /// Given by the API caller together with the message; `{{vars.…}}`.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub vars: Map<String, Value>,
    #[serde(skip_serializing_if = "About::is_empty", default)]
    pub about: About,
    /// A test run: nothing is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub test_mode: bool,
    /// There is no contact: messages stay in the events.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub without_channel: bool,
    /// Rules that the execution began with; 0 before there were versions. A replay follows the same.
    #[serde(skip_serializing_if = "is_default", default)]
    pub rules: u32,
    /// Texts of the model are sent as it wrote them, without WhatsApp's marks for Markdown.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub keep_markdown: bool,
    /// The server's model, which answers where the agent names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<ModelChoice>,
}

/// Contact context besides name and number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `{{contact.metadata.…}}`; the model sees it as well.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub metadata: Map<String, Value>,
    /// Notes of people; private ones do not reach the engine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
    /// The broadcast that the contact answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub broadcast: Option<Broadcast>,
}

/// Contact context that may change during an execution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile_name: Option<String>,
    #[serde(skip_serializing_if = "About::is_empty", default)]
    pub about: About,
    /// Time zone of the contact; UTC if unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Zone>,
    /// Version of the stored contact.
    #[serde(default)]
    pub version: i64,
}

/// A time zone's offset at a moment. It is looked up outside: zone rules change, and a replay must
/// read the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// For example `America/Bogota`.
    pub name: String,
    /// Minutes ahead of UTC.
    pub minutes: i32,
}

impl About {
    /// True if nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A note about a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub name: String,
    pub content: String,
    pub created_at: Timestamp,
}

/// A template sent to many contacts, this one among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// The campaign.
    pub name: String,
    pub template_name: String,
    /// The text as the contact read it.
    pub content: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub parameters: BTreeMap<String, String>,
    pub sent_at: Timestamp,
}
