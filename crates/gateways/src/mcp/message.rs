//! JSON-RPC for a client with one open request at a time.

use super::failure::Failure;
use crate::parsing::off_worker;
use domain::{json::Refused, limits::ANSWER_VALUES};
use serde_json::{Map, Value, json};

pub(super) fn request(id: u32, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

pub(super) fn notification(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": method})
}

/// A message of the server, by its effect on the open request.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// The response to the open request.
    Response(Result<Value, Failure>),
    /// A request of the server, with the reply to send.
    Request(Value),
    /// A notification, or a response to no open request.
    Other,
}

/// As [`read`], for a large text on the blocking pool.
pub(super) async fn read_off_worker(text: Vec<u8>) -> Result<Vec<Value>, Failure> {
    let messages = off_worker(text, read).await;
    messages.unwrap_or_else(|| Err(Failure::bad_response("the MCP server's answer cannot be read")))
}

/// Parses one message, or a batch as servers of 2025-03-26 may send. Removes NUL characters, which
/// databases refuse.
pub(super) fn read(text: &[u8]) -> Result<Vec<Value>, Failure> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let read = domain::json::parse(text, ANSWER_VALUES).map_err(|refused| match refused {
        Refused::TooMany(_) => Failure::bad_response("the MCP server's answer is too large"),
        Refused::Malformed(_) => Failure::bad_response("the MCP server's answer is no JSON that can be read"),
    })?;
    Ok(match without_nul(read) {
        Value::Array(messages) => messages,
        message => vec![message],
    })
}

/// Classifies a message while request `id` is open.
pub(super) fn sort(mut message: Value, id: u32) -> Incoming {
    if let Some(method) = message["method"].as_str() {
        return match message.get("id").filter(|asked| !asked.is_null()) {
            Some(asked) if method == "ping" => Incoming::Request(json!({"jsonrpc": "2.0", "id": asked, "result": {}})),
            Some(asked) => {
                let error = json!({"code": -32601, "message": "Method not found"});
                Incoming::Request(json!({"jsonrpc": "2.0", "id": asked, "error": error}))
            }
            None => Incoming::Other,
        };
    }
    let answered = &message["id"];
    let ours = answered.as_u64() == Some(id.into()) || answered.as_str() == Some(id.to_string().as_str());
    if let Some(error) = message.get("error").filter(|error| !error.is_null()) {
        // An error without an id is about a request that the server could not read: only one is
        // open.
        return if ours || answered.is_null() {
            Incoming::Response(Err(Failure::refused(error)))
        } else {
            Incoming::Other
        };
    }
    match message.get_mut("result") {
        Some(result) if ours => Incoming::Response(Ok(result.take())),
        _ => Incoming::Other,
    }
}

fn without_nul(value: Value) -> Value {
    let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, item)| (clean(name), without_nul(item))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_classified_for_the_open_request() {
        let refused = |text: &str| Incoming::Response(Err(Failure::refused(&serde_json::from_str(text).unwrap())));
        let asked = |id: Value, rest: Value| {
            let mut reply = json!({"jsonrpc": "2.0", "id": id});
            reply.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            Incoming::Request(reply)
        };
        let no_method = json!({"error": {"code": -32601, "message": "Method not found"}});
        for (message, expected) in [
            (json!({"id": 3, "result": {"a": 1}}), Incoming::Response(Ok(json!({"a": 1})))),
            (json!({"id": "3", "result": 1}), Incoming::Response(Ok(json!(1)))),
            (json!({"id": 2, "result": 1}), Incoming::Other),
            (json!({"id": 3.5, "result": 1}), Incoming::Other),
            (json!({"result": 1}), Incoming::Other),
            (json!({"id": 3}), Incoming::Other),
            (json!({"id": 3, "error": {"code": -1, "message": "no"}}), refused(r#"{"code": -1, "message": "no"}"#)),
            (json!({"id": null, "error": {"code": "E"}}), refused(r#"{"code": "E"}"#)),
            (json!({"id": 2, "error": {"code": -1}}), Incoming::Other),
            (json!({"id": "s", "method": "ping"}), asked(json!("s"), json!({"result": {}}))),
            (json!({"id": 3, "method": "sampling/createMessage", "params": {}}), asked(json!(3), no_method.clone())),
            (json!({"id": 3, "method": "roots/list", "result": 1}), asked(json!(3), no_method.clone())),
            (json!({"method": "notifications/message"}), Incoming::Other),
            (json!({"id": null, "method": "ping"}), Incoming::Other),
            (json!(7), Incoming::Other),
        ] {
            assert_eq!(sort(message.clone(), 3), expected, "{message}");
        }
    }

    #[test]
    fn nul_characters_are_removed() {
        let read = read(br#"[{"a\u0000b": ["\u0000", {"c": "d\u0000"}]}]"#).unwrap();
        assert_eq!(read, [json!({"ab": ["", {"c": "d"}]})]);
    }
}
