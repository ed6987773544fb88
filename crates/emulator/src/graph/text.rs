//! Checks of text messages and of `biz_opaque_callback_data`.

use serde_json::Value;

use super::errors::GraphError;

const MAX_BODY: usize = 4096;
const MAX_OPAQUE: usize = 512;

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
    if length > MAX_BODY {
        let details = format!("Param text['body'] must be at most {MAX_BODY} characters long.");
        return Err(GraphError::with(100, details));
    }
    match node.get("preview_url") {
        None | Some(Value::Bool(_)) => Ok(node.clone()),
        Some(_) => Err(GraphError::with(100, "Param text['preview_url'] must be a boolean.")),
    }
}

/// Checks the opaque value that every status returns.
pub(crate) fn opaque(body: &Value) -> Result<Option<String>, GraphError> {
    match body.get("biz_opaque_callback_data") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(data)) if data.chars().count() <= MAX_OPAQUE => Ok(Some(data.clone())),
        Some(_) => {
            let details =
                format!("Param biz_opaque_callback_data must be a string of at most {MAX_OPAQUE} characters.");
            Err(GraphError::with(100, details))
        }
    }
}
