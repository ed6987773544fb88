//! What a text message must look like.

use serde_json::Value;

use super::errors::GraphError;

const LONGEST_BODY: usize = 4096;
const LONGEST_OPAQUE: usize = 512;

/// Check the `text` node.
pub(crate) fn check(body: &Value) -> Result<Value, GraphError> {
    let node = match body.get("text") {
        None | Some(Value::Null) => {
            return Err(GraphError::with(131_008, "The parameter text is required."));
        }
        Some(node @ Value::Object(_)) => node,
        Some(_) => return Err(GraphError::with(100, "Param text must be an object.")),
    };
    let text = match node.get("body") {
        None | Some(Value::Null) => {
            return Err(GraphError::with(131_008, "The parameter text['body'] is required."));
        }
        Some(Value::String(text)) => text,
        Some(_) => return Err(GraphError::with(100, "Param text['body'] must be a string.")),
    };
    let length = text.chars().count();
    if length == 0 {
        return Err(GraphError::with(100, "Param text['body'] must be a non-empty string."));
    }
    if length > LONGEST_BODY {
        let details = format!("Param text['body'] must be at most {LONGEST_BODY} characters long.");
        return Err(GraphError::with(100, details));
    }
    match node.get("preview_url") {
        None | Some(Value::Bool(_)) => Ok(node.clone()),
        Some(_) => Err(GraphError::with(100, "Param text['preview_url'] must be a boolean.")),
    }
}

/// Check the value that every status gives back.
pub(crate) fn opaque(body: &Value) -> Result<Option<String>, GraphError> {
    match body.get("biz_opaque_callback_data") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(data)) if data.chars().count() <= LONGEST_OPAQUE => Ok(Some(data.clone())),
        Some(_) => {
            let details =
                format!("Param biz_opaque_callback_data must be a string of at most {LONGEST_OPAQUE} characters.");
            Err(GraphError::with(100, details))
        }
    }
}
