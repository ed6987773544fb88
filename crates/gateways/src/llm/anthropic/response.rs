//! Reads answers in Anthropic's format.

use crate::llm::{openai, refusal::Refusal};
use domain::chat::{Ended, ModelResponse, Opaque, ToolCall, Usage};
use serde_json::Value;

/// More bytes of thinking are not kept.
const ROOM: usize = 128 * 1024;

/// Missing parts become empty. A call that the token limit cut is left out.
pub(in crate::llm) fn read(body: &Value) -> Result<ModelResponse, Refusal> {
    if body["type"] == "error" {
        return Err(Refusal::of_error(&body["error"], openai::text_of_error(body)));
    }
    let Some(blocks) = body["content"].as_array() else { return Err(Refusal::broken("the answer has no content")) };
    let cut = matches!(body["stop_reason"].as_str(), Some("max_tokens" | "model_context_window_exceeded"));
    let of_kind = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
    let text: String = of_kind("text").filter_map(|block| block["text"].as_str()).collect();
    let mut tool_calls: Vec<ToolCall> = of_kind("tool_use").map(call).collect();
    let last_is_call = blocks.last().is_some_and(|block| block["type"] == "tool_use");
    if cut && last_is_call {
        tool_calls.pop();
    }
    let reasoning: String = of_kind("thinking").filter_map(|block| block["thinking"].as_str()).collect();
    let thinking: Vec<Value> = blocks
        .iter()
        .filter(|block| matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking")))
        .cloned()
        .collect();
    let parts = Value::Array(thinking);
    let opaque = parts.as_array().is_some_and(|parts| !parts.is_empty()) && parts.to_string().len() <= ROOM;
    let count = |name: &str| body["usage"][name].as_u64().unwrap_or(0);
    let cached = count("cache_read_input_tokens");
    Ok(ModelResponse {
        text: Some(text).filter(|text| !text.is_empty()),
        tool_calls,
        usage: Usage {
            // Anthropic counts cached tokens apart.
            input_tokens: count("input_tokens") + cached + count("cache_creation_input_tokens"),
            output_tokens: count("output_tokens"),
            cached_tokens: cached,
        },
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        ended: match body["stop_reason"].as_str() {
            // https://docs.anthropic.com/en/api/messages#response-stop-reason
            Some("end_turn" | "tool_use" | "stop_sequence" | "pause_turn") => Ended::Whole,
            Some("refusal") => Ended::Refused,
            _ if cut => Ended::Cut,
            _ => Ended::Malformed,
        },
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        opaque: opaque.then(|| Opaque { provider: "anthropic".into(), parts }),
        ..ModelResponse::default()
    })
}

fn call(block: &Value) -> ToolCall {
    let word = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
    let arguments = if block["input"].is_null() { Value::Object(Default::default()) } else { block["input"].clone() };
    ToolCall { id: word("id"), name: word("name"), arguments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(body: Value) -> ModelResponse {
        read(&body).unwrap()
    }

    #[test]
    fn text_calls_usage_and_thinking_are_read() {
        let thinking = json!({"type": "thinking", "thinking": "hm", "signature": "s"});
        let got = answer(json!({"model": "claude-x", "stop_reason": "tool_use", "content": [thinking,
            {"type": "text", "text": "a"}, {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": 1}}],
            "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 2, "output_tokens": 3}}));
        assert_eq!(got.text.as_deref(), Some("a"));
        assert_eq!(got.tool_calls[0].arguments, json!({"q": 1}));
        assert_eq!(got.usage, Usage { input_tokens: 14, output_tokens: 3, cached_tokens: 7 });
        assert_eq!(got.opaque, Some(Opaque { provider: "anthropic".into(), parts: json!([thinking]) }));
    }

    #[test]
    fn cut_calls_and_refusals_are_recognised() {
        let call = json!({"type": "tool_use", "id": "t", "name": "pay", "input": {}});
        let cut = answer(json!({"stop_reason": "max_tokens", "content": [call]}));
        assert_eq!((cut.ended, cut.tool_calls.len()), (Ended::Cut, 0));
        assert_eq!(answer(json!({"stop_reason": "refusal", "content": []})).ended, Ended::Refused);
        let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        assert_eq!(read(&overloaded).unwrap_err().status, 529);
        assert_eq!(read(&json!({})).unwrap_err().status, 502);
    }
}
