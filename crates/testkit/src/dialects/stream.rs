//! Answers as streams of server-sent events, in the form of each server.

use super::kinds::{Dialect, Shape, list, word};
use serde_json::{Value, json};

/// Characters of a piece of text or of arguments.
const PIECE: usize = 7;

/// The body of a streamed answer. `request` asks for it, `answer` is the same without streaming.
/// Without a dialect it has OpenAI's form.
pub(crate) fn body(dialect: Option<&Dialect>, request: &Value, answer: &Value) -> String {
    match dialect.map_or(Shape::Chat, |dialect| dialect.shape) {
        Shape::Chat => chat(dialect.map_or("OpenAI", |dialect| dialect.name), request, answer),
        Shape::Anthropic => anthropic(answer),
        Shape::Gemini => gemini(answer),
    }
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

fn pieces(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(PIECE).map(|piece| piece.iter().collect()).collect()
}

/// Chunks (https://platform.openai.com/docs/api-reference/chat-streaming).
fn chat(name: &str, request: &Value, answer: &Value) -> String {
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "x", "object": "chat.completion.chunk", "model": answer["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let (choice, mut out) = (&answer["choices"][0], String::new());
    let message = &choice["message"];
    match name {
        // https://github.com/AbanteAI/archive-old-cli-mentat/issues/429
        "Azure OpenAI" => {
            out += &event(
                &json!({"id": "", "object": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
            );
        }
        // https://openrouter.ai/docs/api-reference/streaming
        "OpenRouter" => out += ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n",
        _ => {}
    }
    out += &event(&chunk(json!({"role": "assistant", "content": ""}), Value::Null));
    for (member, value) in message.as_object().into_iter().flatten().filter(|(name, _)| *name != "content") {
        match value {
            _ if ["role", "tool_calls"].contains(&member.as_str()) => {}
            Value::String(text) => {
                for piece in pieces(text) {
                    out += &event(&chunk(json!({ member: piece }), Value::Null));
                }
            }
            Value::Null => {}
            other => out += &event(&chunk(json!({"content": "", member: other}), Value::Null)),
        }
    }
    for piece in pieces(word(&message["content"])) {
        out += &event(&chunk(json!({"content": piece}), Value::Null));
    }
    // Typed parts come one by one (https://docs.mistral.ai/capabilities/reasoning).
    for part in list(&message["content"]) {
        out += &event(&chunk(json!({"content": [part]}), Value::Null));
    }
    for delta in calls(name, list(&message["tool_calls"])) {
        out += &event(&chunk(json!({"tool_calls": [delta]}), Value::Null));
    }
    let mut last = chunk(json!({}), choice["finish_reason"].clone());
    let asked = request["stream_options"]["include_usage"] == true;
    match name {
        // https://github.com/Portkey-AI/gateway/issues/1072
        "Groq" => last["x_groq"] = json!({"id": "req_1", "usage": answer["usage"]}),
        // They count without being asked (https://github.com/dnakov/anon-kode/issues/53,
        // https://api-docs.deepseek.com/api/create-chat-completion).
        "Mistral" | "DeepSeek" => last["usage"] = answer["usage"].clone(),
        _ => {}
    }
    out += &event(&last);
    if name == "OpenRouter" {
        let mut usage = chunk(json!({"role": "assistant", "content": ""}), Value::Null);
        usage["usage"] = answer["usage"].clone();
        out += &event(&usage);
    } else if asked && name != "Groq" {
        // Some send null (https://docs.rs/openai-interface).
        let choices = if name == "vLLM" { Value::Null } else { json!([]) };
        out += &event(&json!({"id": "x", "model": answer["model"], "choices": choices, "usage": answer["usage"]}));
    }
    out + "data: [DONE]\n\n"
}

/// Pieces of calls, in the order that they are sent.
fn calls(name: &str, calls: &[Value]) -> Vec<Value> {
    let whole = |(place, call): (usize, &Value)| {
        let mut call = call.clone();
        call["index"] = place.into();
        call
    };
    match name {
        // Whole calls; Gemini's all have the index 0
        // (https://github.com/QuantumNous/new-api/pull/2701).
        "Mistral" | "Groq" => calls.iter().enumerate().map(whole).collect(),
        "Gemini compatible" => calls.iter().map(|call| whole((0, call))).collect(),
        _ => {
            let mut begins: Vec<Value> = calls.iter().enumerate().map(whole).collect();
            let mut rest: Vec<(usize, usize, Value)> = Vec::new();
            for (place, call) in begins.iter_mut().enumerate() {
                let arguments = call["function"]["arguments"].take();
                call["function"]["arguments"] = "".into();
                for (number, piece) in pieces(word(&arguments)).into_iter().enumerate() {
                    rest.push((number, place, json!({"index": place, "function": {"arguments": piece}})));
                }
            }
            // Pieces of parallel calls alternate.
            rest.sort_by_key(|(number, place, _)| (*number, *place));
            begins.into_iter().chain(rest.into_iter().map(|(_, _, piece)| piece)).collect()
        }
    }
}

/// https://docs.anthropic.com/en/api/messages-streaming
fn anthropic(answer: &Value) -> String {
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", word(&data["type"]));
    let mut begins = answer.clone();
    begins["content"] = json!([]);
    begins["stop_reason"] = Value::Null;
    let mut out = event(json!({"type": "message_start", "message": begins})) + &event(json!({"type": "ping"}));
    for (index, block) in list(&answer["content"]).iter().enumerate() {
        let mut empty = block.clone();
        let deltas: Vec<Value> = if block["type"] == "tool_use" {
            empty["input"] = json!({});
            let parts = pieces(&block["input"].to_string());
            parts.into_iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect()
        } else {
            empty["text"] = "".into();
            pieces(word(&block["text"])).into_iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect()
        };
        out += &event(json!({"type": "content_block_start", "index": index, "content_block": empty}));
        for delta in deltas {
            out += &event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        out += &event(json!({"type": "content_block_stop", "index": index}));
    }
    let usage = json!({"output_tokens": answer["usage"]["output_tokens"]});
    out += &event(json!({"type": "message_delta", "delta": {"stop_reason": answer["stop_reason"]}, "usage": usage}));
    out + &event(json!({"type": "message_stop"}))
}

/// https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
fn gemini(answer: &Value) -> String {
    let mut out = String::new();
    let response = |parts: Vec<Value>| {
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}}],
            "modelVersion": answer["modelVersion"], "usageMetadata": {"promptTokenCount": answer["usageMetadata"]["promptTokenCount"]}})
    };
    for part in list(&answer["candidates"][0]["content"]["parts"]) {
        match part["text"].as_str() {
            Some(text) => {
                for piece in pieces(text) {
                    out += &event(&response(vec![json!({"text": piece})]));
                }
            }
            None => out += &event(&response(vec![part.clone()])),
        }
    }
    let mut last = response(vec![json!({"text": ""})]);
    last["candidates"][0]["finishReason"] = answer["candidates"][0]["finishReason"].clone();
    last["usageMetadata"] = answer["usageMetadata"].clone();
    out + &event(&last)
}
