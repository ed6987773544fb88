//! Converts the result of a tool: structured content stays as it is, other parts become text.

use super::failure::{Failure, shortened};
use domain::tool_request::ToolAnswer;
use serde_json::Value;

/// Longest description of a part that is not text, in bytes.
const WORD: usize = 200;

/// Reads the result of `tools/call`.
pub(super) fn of_call(result: &Value) -> Result<ToolAnswer, Failure> {
    let structured = result.get("structuredContent").filter(|content| !content.is_null());
    let parts = result["content"].as_array();
    let text = parts.map(|parts| parts.iter().map(text_of).collect::<Vec<_>>().join("\n"));
    if result["isError"] == true {
        let reason = text.filter(|text| !text.trim().is_empty()).or_else(|| structured.map(Value::to_string));
        return Err(Failure::tool(reason.unwrap_or_else(|| "the tool failed without a reason".into())));
    }
    let Some(content) = structured.cloned().or(text.map(Value::String)) else {
        return Err(Failure::bad_response("the MCP server's answer holds no result"));
    };
    Ok(ToolAnswer::Answered { status: 200, content, truncated: false })
}

/// A part as text; other parts become a short description.
fn text_of(part: &Value) -> String {
    let word = |value: &Value| {
        let text = value.as_str().unwrap_or("unknown");
        shortened(text, WORD).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    match part["type"].as_str().unwrap_or_default() {
        "text" => part["text"].as_str().unwrap_or_default().to_owned(),
        kind @ ("image" | "audio") => {
            format!("[{kind} {}, {} bytes]", word(&part["mimeType"]), decoded_length(&part["data"]))
        }
        "resource_link" => format!("[resource {} at {}]", word(&part["name"]), word(&part["uri"])),
        "resource" => {
            let resource = &part["resource"];
            match resource["text"].as_str() {
                Some(text) => text.to_owned(),
                None => format!(
                    "[resource {} {}, {} bytes]",
                    word(&resource["uri"]),
                    word(&resource["mimeType"]),
                    decoded_length(&resource["blob"])
                ),
            }
        }
        _ => format!("[{}]", word(&part["type"])),
    }
}

fn decoded_length(base64: &Value) -> usize {
    let text = base64.as_str().unwrap_or_default().trim_end_matches('=');
    text.len() * 3 / 4
}
