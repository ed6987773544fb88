//! Collects a server's tools within size limits.

use super::failure::{Failure, shortened};
use domain::tool_request::{McpTool, ToolAnswer};
use serde_json::{Value, json};

const TOOLS: usize = 64;
/// In characters.
const NAME: usize = 128;
/// In bytes; the rest is cut off.
const DESCRIPTION: usize = 2 << 10;
/// In bytes of JSON.
const SCHEMA: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) tools: Vec<McpTool>,
    /// True if tools were left out.
    pub(super) truncated: bool,
}

impl List {
    pub(super) fn is_full(&self) -> bool {
        self.tools.len() >= TOOLS
    }

    /// Adds a page, without the tools that cannot be used.
    pub(super) fn add(&mut self, page: &[Value]) {
        for described in page {
            match read(described) {
                // The first tool with a name wins.
                Some(tool) if self.tools.iter().any(|other| other.name == tool.name) => {}
                Some(tool) if !self.is_full() => self.tools.push(tool),
                _ => self.truncated = true,
            }
        }
    }

    pub(super) fn answer(&self) -> ToolAnswer {
        let content = self.tools.iter().map(|tool| json!(tool)).collect::<Value>();
        ToolAnswer::Answered { status: 200, content, truncated: self.truncated }
    }
}

/// The tools of a list that has one page.
pub(super) fn of_page(page: &Value) -> Result<ToolAnswer, Failure> {
    let Some(found) = page["tools"].as_array() else { return Err(no_list()) };
    let mut list = List::default();
    list.add(found);
    Ok(list.answer())
}

pub(super) fn no_list() -> Failure {
    Failure::bad_response("the MCP server's list of tools is no list")
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
