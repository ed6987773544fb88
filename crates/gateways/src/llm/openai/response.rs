//! Reads responses of chat-completions servers, which follow OpenAI's shape more or less.

use super::super::arguments;
use domain::{
    chat::{Ended, ModelResponse, ToolCall, Usage},
    json::{self, Refused},
    limits::MODEL_VALUES,
};
use serde_json::{Value, json};

/// A response with status 200 that is not usable.
#[derive(Debug)]
pub(super) struct UnusableResponse {
    /// The status that fits its content.
    pub(super) status: u16,
    pub(super) message: String,
}

/// Missing parts become empty; only a body without any choice is unusable.
pub(super) fn read(body: &[u8]) -> Result<ModelResponse, UnusableResponse> {
    let broken = |message: &str| UnusableResponse { status: 502, message: message.to_owned() };
    let body = json::parse(body, MODEL_VALUES).map_err(|refused| match refused {
        Refused::TooMany(_) => broken("the model's answer has too many JSON values"),
        Refused::Malformed(_) => broken("the model's answer is not JSON"),
    })?;
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        // OpenRouter reports a failed upstream with status 200.
        let status = error.get("code").and_then(Value::as_u64).unwrap_or(502);
        return Err(UnusableResponse { status: u16::try_from(status).unwrap_or(502), message: text_of_error(&body) });
    }
    let choice = body.pointer("/choices/0").ok_or_else(|| broken("the answer has no choice"))?;
    if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
        // The upstream failed in the middle: the partial text is not a response.
        return Err(broken(&text_of_error(error)));
    }
    let message = choice.get("message").unwrap_or(&Value::Null);
    let refusal = text(message.get("refusal")).filter(|text| !text.is_empty());
    let ended = match choice.get("finish_reason").and_then(Value::as_str) {
        _ if refusal.is_some() => Ended::Refused,
        Some("content_filter") => Ended::Refused,
        Some("length") => Ended::Cut,
        _ => Ended::Whole,
    };
    // The old form with a single call.
    let old = message.get("function_call").filter(|call| call.is_object()).map(|call| json!([{ "function": call }]));
    Ok(ModelResponse {
        text: text(message.get("content")).filter(|text| !text.is_empty()).or(refusal),
        tool_calls: calls(
            message.get("tool_calls").filter(|calls| calls.is_array()).or(old.as_ref()),
            ended == Ended::Cut,
        ),
        usage: usage(body.get("usage")),
        model: string(body.get("model")),
        ended,
    })
}

/// The error message in the body of a failed request.
pub(super) fn error_text(body: &[u8]) -> String {
    match json::parse(body, MODEL_VALUES) {
        Ok(value) => text_of_error(&value),
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned(),
    }
}

fn text_of_error(body: &Value) -> String {
    let error = body.get("error").unwrap_or(body);
    match error {
        Value::String(text) => text.clone(),
        _ => match error.get("message").or_else(|| body.get("message")) {
            Some(Value::String(text)) => text.clone(),
            _ => error.to_string(),
        },
    }
}

/// Content is text, null, or a list of parts.
fn text(content: Option<&Value>) -> Option<String> {
    match content? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect())
        }
        _ => None,
    }
}

/// Leaves out a last call that the token limit cut: with repaired arguments it would do half of
/// something.
fn calls(list: Option<&Value>, cut: bool) -> Vec<ToolCall> {
    let Some(list) = list.and_then(Value::as_array) else { return Vec::new() };
    let mut list: Vec<&Value> = list.iter().filter(|call| call.get("function").is_some()).collect();
    if cut && list.last().is_some_and(|call| !arguments::are_whole(call.pointer("/function/arguments"))) {
        list.pop();
    }
    let mut room = MODEL_VALUES;
    list.into_iter().filter_map(|one| call(one, &mut room)).collect()
}

/// `room` is the number of values that the arguments of this and the later calls may have.
fn call(call: &Value, room: &mut usize) -> Option<ToolCall> {
    let function = call.get("function")?;
    Some(ToolCall {
        id: string(call.get("id")),
        name: string(function.get("name")),
        arguments: arguments::read(function.get("arguments"), room),
    })
}

fn usage(usage: Option<&Value>) -> Usage {
    let count = |path: &str| usage.and_then(|usage| usage.pointer(path)?.as_u64()).unwrap_or(0);
    Usage {
        input_tokens: count("/prompt_tokens"),
        output_tokens: count("/completion_tokens"),
        cached_tokens: count("/prompt_tokens_details/cached_tokens"),
    }
}

fn string(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(body: &Value) -> ModelResponse {
        read(body.to_string().as_bytes()).unwrap()
    }

    fn message(message: Value) -> ModelResponse {
        answer(&json!({"choices": [{"message": message}]}))
    }

    #[test]
    fn text_is_read_from_strings_parts_and_refusals() {
        assert_eq!(message(json!({"content": "hi"})).text.as_deref(), Some("hi"));
        assert_eq!(message(json!({"content": null})).text, None);
        assert_eq!(message(json!({"content": ""})).text, None);
        let parts = json!({"content": [{"type": "text", "text": "a"}, {"type": "image"}, "b"]});
        assert_eq!(message(parts).text.as_deref(), Some("ab"));
        let refusal = json!({"content": null, "refusal": "no"});
        assert_eq!(message(refusal).text.as_deref(), Some("no"));
        assert_eq!(answer(&json!({"choices": [{}]})), ModelResponse::default());
    }

    #[test]
    fn arguments_are_parsed_or_kept_raw() {
        let called = message(json!({"tool_calls": [
            {"id": "1", "function": {"name": "a", "arguments": "{\"x\": 1}"}},
            {"function": {"name": "b", "arguments": "{\"x\": "}},
            {"id": "1", "function": {"name": "c", "arguments": {"x": 2}}},
            {"id": "4", "function": {"name": "d", "arguments": ""}},
            {"id": "5", "function": {"name": "e"}},
            "nonsense",
        ]}));
        let got: Vec<_> = called.tool_calls.iter().map(|c| (c.id.as_str(), c.arguments.clone())).collect();
        assert_eq!(
            got,
            [
                ("1", json!({"x": 1})),
                ("", json!("{\"x\": ")),
                ("1", json!({"x": 2})),
                ("4", json!({})),
                ("5", json!({})),
            ]
        );
    }

    #[test]
    fn call_cut_by_the_token_limit_is_dropped() {
        let whole = json!({"id": "1", "function": {"name": "a", "arguments": "{}"}});
        let cut = json!({"id": "2", "function": {"name": "a", "arguments": "{\"x\": \"y"}});
        for (reason, expected) in [("length", 1), ("tool_calls", 2)] {
            let body = json!({"choices": [{"finish_reason": reason,
                "message": {"tool_calls": [whole, cut]}}]});
            assert_eq!(answer(&body).tool_calls.len(), expected, "{reason}");
        }
    }

    #[test]
    fn usage_and_model_are_optional() {
        let full = answer(&json!({"model": "m-1", "choices": [{}], "usage": {"prompt_tokens": 9,
            "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}}));
        assert_eq!(full.usage, Usage { input_tokens: 9, output_tokens: 4, cached_tokens: 8 });
        assert_eq!(full.model, "m-1");
        let odd = answer(&json!({"choices": [{}], "usage": {"prompt_tokens": -1,
            "prompt_tokens_details": null}}));
        assert_eq!(odd.usage, Usage::default());
    }

    #[test]
    fn error_in_a_200_has_its_own_status() {
        for (body, status) in [
            (json!({"error": {"code": 429, "message": "slow"}}).to_string(), 429),
            (json!({"error": {"message": "odd"}}).to_string(), 502),
            (json!({"choices": []}).to_string(), 502),
            (String::from("<html>"), 502),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err().status, status, "{body}");
        }
    }
}
