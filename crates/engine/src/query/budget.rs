//! Work of one query, counted in nodes and bytes.
//!
//! Results share their parts: `[@,@]|[@,@]` doubles what is written and hardly what is stored. So a
//! value is charged as often as its parts occur, before anything walks or copies it.

use super::stop::Stop;
use domain::limits::{QUERY_NODES, QUERY_TEXT};
use jmespath::Variable;
use serde_json::Value;

pub(super) struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: QUERY_NODES, bytes: QUERY_TEXT }
    }
}

impl Budget {
    pub(super) fn nodes(&mut self, count: usize) -> Result<(), Stop> {
        self.nodes = self.nodes.checked_sub(count).ok_or(Stop::TooLarge)?;
        Ok(())
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<(), Stop> {
        self.bytes = self.bytes.checked_sub(count).ok_or(Stop::TooLarge)?;
        Ok(())
    }

    /// Charges a value with everything in it.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), Stop> {
        self.nodes(1)?;
        match value {
            Value::String(text) => self.bytes(written(text)),
            Value::Array(items) => items.iter().try_for_each(|item| self.json(item)),
            Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
                self.bytes(written(name))?;
                self.json(field)
            }),
            _ => Ok(()),
        }
    }

    /// Charges a value with everything in it, shared parts each time.
    pub(super) fn whole(&mut self, value: &Variable) -> Result<(), Stop> {
        self.nodes(1)?;
        match value {
            Variable::String(text) => self.bytes(written(text)),
            Variable::Array(items) => items.iter().try_for_each(|item| self.whole(item)),
            Variable::Object(fields) => fields.iter().try_for_each(|(name, field)| {
                self.bytes(written(name))?;
                self.whole(field)
            }),
            _ => Ok(()),
        }
    }

    /// Charges a value with its direct parts, each `times` over.
    pub(super) fn outer(&mut self, value: &Variable, times: usize) -> Result<(), Stop> {
        let text = |item: &Variable| item.as_string().map_or(0, String::len);
        let (nodes, bytes) = match value {
            Variable::String(text) => (1, text.len()),
            Variable::Array(items) => (items.len(), items.iter().map(|item| text(item)).sum()),
            Variable::Object(fields) => (fields.len(), fields.keys().map(String::len).sum()),
            _ => (1, 0),
        };
        self.nodes(nodes.saturating_mul(times))?;
        self.bytes(bytes.saturating_mul(times))
    }
}

/// Bytes of a text in JSON.
fn written(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(of).sum()
}
