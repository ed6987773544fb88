//! What of a server's list of tools is kept.

use super::failure::shortened;
use domain::tool_request::McpTool;
use serde_json::Value;

/// Tools of one server.
const TOOLS: usize = 64;
/// Characters of a name.
const NAME: usize = 128;
/// Bytes of a description; the rest is cut off.
const DESCRIPTION: usize = 2 << 10;
/// Bytes of a schema, as JSON.
const SCHEMA: usize = 16 << 10;

/// The tools so far.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) tools: Vec<McpTool>,
    /// Some were left out.
    pub(super) truncated: bool,
}

impl List {
    /// Whether no more tools fit in.
    pub(super) fn is_full(&self) -> bool {
        self.tools.len() >= TOOLS
    }

    /// Adds a page. A tool that cannot be used is left out, the others are kept.
    pub(super) fn add(&mut self, page: &[Value]) {
        for described in page {
            match read(described) {
                // The first of a name counts.
                Some(tool) if self.tools.iter().any(|other| other.name == tool.name) => {}
                Some(tool) if !self.is_full() => self.tools.push(tool),
                _ => self.truncated = true,
            }
        }
    }
}

fn read(described: &Value) -> Option<McpTool> {
    let name = described["name"].as_str().filter(|name| !name.is_empty() && name.chars().count() <= NAME)?;
    let schema = &described["inputSchema"];
    if !schema.is_object() || schema.to_string().len() > SCHEMA {
        return None;
    }
    let description = described["description"].as_str().map(|text| shortened(text, DESCRIPTION).to_owned());
    Some(McpTool { name: name.to_owned(), description, schema: schema.clone() })
}
