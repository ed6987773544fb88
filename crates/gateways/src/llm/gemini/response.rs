//! Reads answers in Gemini's format.

use crate::llm::{openai, refusal::Refusal};
use domain::chat::{Ended, ModelResponse, Opaque, ToolCall, Usage};
use serde_json::{Value, json};

/// More bytes of signatures are not kept.
const ROOM: usize = 128 * 1024;

/// Missing parts become empty. A prompt that the filter blocked has no candidate.
pub(in crate::llm) fn read(body: &Value) -> Result<ModelResponse, Refusal> {
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        return Err(Refusal::of_error(error, openai::text_of_error(body)));
    }
    if let Some(reason) = body.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
        let message = format!("the prompt was blocked: {reason}");
        return Err(Refusal { status: 400, message, details: "prohibited_content".into(), wait_ms: None });
    }
    let Some(candidate) = body.pointer("/candidates/0") else {
        return Err(Refusal::broken("the answer has no candidate"));
    };
    let reason = candidate["finishReason"].as_str().unwrap_or("STOP");
    // https://ai.google.dev/api/generate-content#FinishReason
    if matches!(reason, "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS") {
        let message = format!("the model wrote a call that cannot be read: {reason}");
        return Err(Refusal { status: 400, message, details: "malformed_function_call".into(), wait_ms: None });
    }
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown = || parts.iter().filter(|part| part["thought"] != true);
    let text: String = shown().filter_map(|part| part["text"].as_str()).collect();
    let thoughts = parts.iter().filter(|part| part["thought"] == true);
    let reasoning: String = thoughts.filter_map(|part| part["text"].as_str()).collect();
    let calls: Vec<&Value> = shown().filter(|part| part.get("functionCall").is_some()).collect();
    let mut signatures = json!({});
    let of_calls: Vec<Value> = calls.iter().map(|part| part["thoughtSignature"].clone()).collect();
    if of_calls.iter().any(Value::is_string) {
        signatures["calls"] = of_calls.into();
    }
    let mut of_text = shown().filter(|part| part.get("text").is_some()).filter_map(|part| part.get("thoughtSignature"));
    if let Some(signature) = of_text.next_back() {
        signatures["text"] = signature.clone();
    }
    let kept = signatures.as_object().is_some_and(|all| !all.is_empty()) && signatures.to_string().len() <= ROOM;
    let count = |name: &str| body["usageMetadata"][name].as_u64().unwrap_or(0);
    Ok(ModelResponse {
        text: Some(text).filter(|text| !text.is_empty()),
        tool_calls: calls.into_iter().map(|part| call(&part["functionCall"])).collect(),
        usage: Usage {
            input_tokens: count("promptTokenCount"),
            output_tokens: count("candidatesTokenCount") + count("thoughtsTokenCount"),
            cached_tokens: count("cachedContentTokenCount"),
        },
        model: body["modelVersion"].as_str().unwrap_or_default().to_owned(),
        ended: match reason {
            "MAX_TOKENS" => Ended::Cut,
            "STOP" => Ended::Whole,
            "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => Ended::Refused,
            _ => Ended::Malformed,
        },
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        opaque: kept.then(|| Opaque { provider: "gemini".into(), parts: signatures }),
        ..ModelResponse::default()
    })
}

fn call(call: &Value) -> ToolCall {
    let word = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let arguments = if call["args"].is_object() { call["args"].clone() } else { json!({}) };
    ToolCall { id: word("id"), name: word("name"), arguments }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: Value) -> ModelResponse {
        read(&body).unwrap()
    }

    #[test]
    fn text_calls_usage_and_signatures_are_read() {
        let got = answer(
            json!({"modelVersion": "gemini-x", "candidates": [{"finishReason": "STOP", "content": {"parts": [
            {"text": "private", "thought": true}, {"text": "a"},
            {"functionCall": {"name": "find", "args": {"q": 1}}, "thoughtSignature": "sig"}, {"functionCall": {"name": "b"}}]}}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 4}}),
        );
        assert_eq!(got.text.as_deref(), Some("a"));
        assert_eq!(got.tool_calls.len(), 2);
        assert_eq!(got.usage, Usage { input_tokens: 5, output_tokens: 7, cached_tokens: 0 });
        assert_eq!(got.opaque.unwrap().parts, json!({"calls": ["sig", null]}));
    }

    #[test]
    fn finish_reasons_are_distinguished() {
        let of = |reason: &str| read(&json!({"candidates": [{"finishReason": reason}]}));
        assert_eq!(of("MAX_TOKENS").unwrap().ended, Ended::Cut);
        assert_eq!(of("SAFETY").unwrap().ended, Ended::Refused);
        assert_eq!(of("MALFORMED_FUNCTION_CALL").unwrap_err().details, "malformed_function_call");
        let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}});
        assert_eq!(read(&blocked).unwrap_err().status, 400);
        assert_eq!(read(&json!({})).unwrap_err().status, 502);
    }
}
