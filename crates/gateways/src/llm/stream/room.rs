//! Bounds of a streamed answer: those of one that comes as a whole, counted over what is kept.

use domain::{
    json::{bytes_of, exceeds},
    limits::MODEL_VALUES,
};
use serde_json::Value;

/// More than there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum Excess {
    Bytes,
    Values,
}

/// Bytes and JSON values that may still be kept.
#[derive(Debug)]
pub(in crate::llm) struct Room {
    bytes: usize,
    values: usize,
}

impl Room {
    pub(in crate::llm) const fn of(bytes: usize) -> Self {
        Self { bytes, values: MODEL_VALUES }
    }

    /// Takes room for a text that continues another one.
    pub(in crate::llm) fn text(&mut self, text: &str) -> Result<(), Excess> {
        self.bytes = self.bytes.checked_sub(text.len()).ok_or(Excess::Bytes)?;
        Ok(())
    }

    pub(in crate::llm) fn value(&mut self, value: &Value) -> Result<(), Excess> {
        self.bytes = self.bytes.checked_sub(bytes_of(value)).ok_or(Excess::Bytes)?;
        if exceeds(value, self.values) {
            return Err(Excess::Values);
        }
        self.values -= values_of(value);
        Ok(())
    }
}

fn values_of(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values_of).sum(),
        Value::Object(fields) => fields.values().map(values_of).sum(),
        _ => 0,
    }
}
