//! Reads responses of chat-completions servers, which follow OpenAI's shape more or less.

use super::{
    super::{arguments, refusal::Refusal},
    finish::{self, Finish},
    opaque, parts,
};
use domain::{
    chat::{Ended, ModelResponse, ToolCall, Usage},
    json,
    limits::MODEL_VALUES,
};
use serde_json::{Value, json};

/// Missing parts become empty; only a body without any choice is unusable.
pub(in crate::llm) fn read(body: &Value) -> Result<ModelResponse, Refusal> {
    let broken = Refusal::broken;
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        // OpenRouter reports a failed upstream with status 200.
        return Err(Refusal::of_error(error, text_of_error(body)));
    }
    let choice = body.pointer("/choices/0").ok_or_else(|| broken("the answer has no choice"))?;
    if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
        // The upstream failed in the middle: the partial text is not a response.
        return Err(broken(&text_of_error(error)));
    }
    let message = choice.get("message").unwrap_or(&Value::Null);
    let refusal = message.get("refusal").and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty());
    let ended = match finish::read(choice.get("finish_reason").and_then(Value::as_str)) {
        Finish::Failed => return Err(broken("the model's server failed while it answered")),
        Finish::Ended(Ended::Whole | Ended::Cut) if refusal.is_some() => Ended::Refused,
        Finish::Ended(ended) => ended,
    };
    let parts = parts::of_message(message);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    // The old form with a single call.
    let old = message.get("function_call").filter(|call| call.is_object()).map(|call| json!([{ "function": call }]));
    Ok(ModelResponse {
        text: some(parts.text).or(refusal),
        reasoning: some(parts.reasoning),
        tool_calls: calls(
            message.get("tool_calls").filter(|calls| calls.is_array()).or(old.as_ref()),
            ended == Ended::Cut,
        ),
        usage: usage(body.get("usage")),
        model: string(body.get("model")),
        ended,
        opaque: opaque::of(message),
        ..ModelResponse::default()
    })
}

/// The error message in the body of a failed request.
pub(in crate::llm) fn error_text(body: &[u8]) -> String {
    match json::parse(body, MODEL_VALUES) {
        Ok(value) => text_of_error(&value),
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned(),
    }
}

pub(in crate::llm) fn text_of_error(body: &Value) -> String {
    let error = body.get("error").unwrap_or(body);
    match error {
        Value::String(text) => text.clone(),
        _ => match error.get("message").or_else(|| body.get("message")) {
            Some(Value::String(text)) => text.clone(),
            _ => error.to_string(),
        },
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
        read(body).unwrap()
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
    fn answer_with_an_unknown_finish_reason_is_malformed_and_a_failed_one_is_repeated() {
        let call = json!({"id": "1", "function": {"name": "a", "arguments": "{}"}});
        let body = |reason: &str| json!({"choices": [{"finish_reason": reason, "message": {"tool_calls": [call]}}]});
        assert_eq!(answer(&body("MALFORMED_FUNCTION_CALL")).ended, Ended::Malformed);
        assert_eq!(answer(&body("something_new")).ended, Ended::Malformed);
        assert_eq!(read(&body("error")).unwrap_err().status, 502);
        let refused = json!({"choices": [{"finish_reason": "stop", "message": {"refusal": "no"}}]});
        assert_eq!(answer(&refused).ended, Ended::Refused);
    }

    #[test]
    fn reasoning_is_apart_from_the_text() {
        let answered = message(json!({"content": "hi", "reasoning_content": "private"}));
        assert_eq!((answered.text.as_deref(), answered.reasoning.as_deref()), (Some("hi"), Some("private")));
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
            (json!({"error": {"code": 429, "message": "slow"}}), 429),
            (json!({"error": {"code": "429", "message": "slow"}}), 429),
            (json!({"error": {"type": "invalid_request_error", "message": "bad"}}), 400),
            (json!({"error": {"message": "odd"}}), 502),
            (json!({"choices": []}), 502),
        ] {
            assert_eq!(read(&body).unwrap_err().status, status, "{body}");
        }
    }
}
