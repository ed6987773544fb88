//! What is known of an execution before anything is said.

use domain::{
    Timestamp,
    ids::{AgentId, ConversationId, ExecutionId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Who talks with whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The agent that runs.
    pub agent_id: AgentId,
    /// This run.
    pub execution_id: ExecutionId,
    /// The conversation it works on.
    pub conversation_id: ConversationId,
    /// `+` and digits, where known.
    pub phone_number: Option<String>,
    /// The name on the contact's profile.
    pub profile_name: Option<String>,
    /// What an API caller gave beside the message; `{{vars.…}}`.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub vars: Map<String, Value>,
    /// What else is known of the contact.
    #[serde(skip_serializing_if = "About::is_empty", default)]
    pub about: About,
    /// A test: nothing is sent to anybody.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub test_mode: bool,
}

/// What is known of a contact beside name and number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `{{contact.metadata.…}}`, shown to the model as well.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub metadata: Map<String, Value>,
    /// What people wrote down about the contact; private ones are not handed to the engine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
    /// The broadcast that the contact answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub broadcast: Option<Broadcast>,
}

/// What is known of the contact when something is said, as far as it may change while the execution lasts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The name on the profile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile_name: Option<String>,
    /// What else is known.
    #[serde(skip_serializing_if = "About::is_empty", default)]
    pub about: About,
    /// The time where the contact is; UTC where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Zone>,
    /// Which state of the stored contact this is.
    #[serde(default)]
    pub version: i64,
}

/// A time zone at a moment. Its rules are looked up outside: they change, and a replay must read the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// For example `America/Bogota`.
    pub name: String,
    /// Minutes ahead of UTC.
    pub minutes: i32,
}

impl About {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A note about a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its title.
    pub name: String,
    /// The note.
    pub content: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// A template that was sent to many, and to this contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// The campaign.
    pub name: String,
    /// The template.
    pub template_name: String,
    /// Its text as the contact read it.
    pub content: String,
    /// What was filled in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub parameters: BTreeMap<String, String>,
    /// When it was sent.
    pub sent_at: Timestamp,
}
