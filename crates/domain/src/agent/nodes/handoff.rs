//! Settings of a HandoffNode: none so far. Unknown fields are kept for editors.

use crate::agent::read::{Fields, Findings};
use serde_json::{Map, Value};

/// A node that gives the conversation to people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Handoff {
    /// Unknown fields.
    pub extra: Map<String, Value>,
}

impl Handoff {
    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        Fields::open(value, at, &[], found).map(|fields| Self { extra: fields.rest() })
    }

    pub(super) fn to_json(&self) -> Value {
        self.extra.clone().into()
    }
}
