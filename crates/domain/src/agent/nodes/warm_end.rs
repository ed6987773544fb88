//! Settings of a WarmEndNode, which ends the conversation when the contact is silent for a while.

use crate::agent::read::{Fields, Findings};
use serde_json::{Map, Value};

/// Minutes of silence, unless the graph says otherwise.
const DEFAULT_MINUTES: u32 = 5;
const MOST_MINUTES: u32 = 1_440;

/// A node that closes the conversation unless the contact writes in time.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmEnd {
    /// Time that the contact has to write, 1 to 1,440 minutes.
    pub timeout_minutes: u32,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

impl WarmEnd {
    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        let mut fields = Fields::open(value, at, &["timeout_minutes"], found)?;
        let timeout_minutes = fields.whole("timeout_minutes", 1, MOST_MINUTES, found).unwrap_or(DEFAULT_MINUTES);
        Some(Self { timeout_minutes, extra: fields.rest() })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::from_iter([("timeout_minutes".to_owned(), Value::from(self.timeout_minutes))]);
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}
