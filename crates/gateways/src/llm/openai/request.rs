//! Converts requests to OpenAI's format.

use super::super::{Tuning, known_models};
use domain::chat::{ChatMessage, ModelRequest, ToolCall, ToolSpec};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    stream: bool,
}

#[derive(Serialize)]
struct Reasoning<'a> {
    effort: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Message<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: String,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: &'a ToolSpec,
}

/// The request's body. Equal requests give equal bytes.
pub(super) fn bytes(
    provider: &str,
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
) -> Result<Vec<u8>, serde_json::Error> {
    let reasons = tuning.reasons(model);
    let usual = request.max_tokens.unwrap_or_else(|| tuning.max_tokens(provider));
    let longest = if request.doubled { known_models::doubled(usual, model) } else { usual };
    let openai = provider == "OpenAI";
    let router = provider == "OpenRouter";
    let system = (!request.system.is_empty()).then_some(Message::System { content: &request.system });
    serde_json::to_vec(&Body {
        model,
        messages: system.into_iter().chain(request.messages.iter().map(message)).collect(),
        tools: request.tools.iter().map(|tool| Tool { r#type: "function", function: tool }).collect(),
        temperature: (!reasons).then(|| request.temperature.unwrap_or_else(|| tuning.temperature())),
        reasoning_effort: (reasons && !router).then(|| tuning.effort()),
        reasoning: (reasons && router).then(|| Reasoning { effort: tuning.effort() }),
        // OpenAI refuses the old name for its newer models; most other servers accept only the old
        // name.
        max_tokens: (!openai).then_some(longest),
        max_completion_tokens: openai.then_some(longest),
        stream: false,
    })
}

fn message(message: &ChatMessage) -> Message<'_> {
    match message {
        ChatMessage::User { content } => Message::User { content },
        ChatMessage::Assistant { content, tool_calls } => Message::Assistant {
            // Null is allowed only with calls.
            content: content.as_deref().or(tool_calls.is_empty().then_some("")),
            tool_calls: tool_calls.iter().map(call).collect(),
        },
        ChatMessage::Tool { call_id, content } => Message::Tool { tool_call_id: call_id, content },
    }
}

fn call(call: &ToolCall) -> Call<'_> {
    Call {
        id: &call.id,
        r#type: "function",
        function: Function {
            name: &call.name,
            arguments: match &call.arguments {
                // Text that was not JSON is sent back as the model wrote it.
                Value::String(raw) => raw.clone(),
                other => other.to_string(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request() -> ModelRequest {
        ModelRequest {
            system: String::from("be kind"),
            messages: vec![
                ChatMessage::User { content: String::from("hi") },
                ChatMessage::Assistant {
                    content: None,
                    tool_calls: vec![
                        ToolCall {
                            id: String::from("c1"),
                            name: String::from("find"),
                            arguments: json!({"z": 1, "a": "é"}),
                        },
                        ToolCall { id: String::from("c2"), name: String::from("find"), arguments: json!("{broken") },
                    ],
                },
                ChatMessage::Tool { call_id: String::from("c1"), content: String::from("3") },
                ChatMessage::Assistant { content: None, tool_calls: vec![] },
            ],
            tools: vec![ToolSpec {
                name: String::from("find"),
                description: String::from("Finds."),
                parameters: json!({"type": "object"}),
            }],
            temperature: Some(0.0),
            max_tokens: Some(7),
            ..ModelRequest::default()
        }
    }

    fn asked(provider: &str, model: &str) -> Value {
        tuned(provider, model, &Tuning::default(), &request())
    }

    fn tuned(provider: &str, model: &str, tuning: &Tuning, request: &ModelRequest) -> Value {
        serde_json::from_slice(&bytes(provider, model, tuning, request).unwrap()).unwrap()
    }

    #[test]
    fn request_body_has_openai_shape() {
        assert_eq!(
            asked("OpenAICompatible", "m"),
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "be kind"},
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": null, "tool_calls": [
                        {"id": "c1", "type": "function",
                         "function": {"name": "find", "arguments": "{\"z\":1,\"a\":\"é\"}"}},
                        {"id": "c2", "type": "function",
                         "function": {"name": "find", "arguments": "{broken"}},
                    ]},
                    {"role": "tool", "tool_call_id": "c1", "content": "3"},
                    {"role": "assistant", "content": ""},
                ],
                "tools": [{"type": "function", "function":
                    {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}],
                "temperature": 0.0,
                "max_tokens": 7,
                "stream": false,
            })
        );
    }

    #[test]
    fn equal_requests_give_equal_bytes_and_longer_history_keeps_the_prefix() {
        let short = bytes("OpenAI", "m", &Tuning::default(), &request()).unwrap();
        assert_eq!(short, bytes("OpenAI", "m", &Tuning::default(), &request().clone()).unwrap());
        let mut longer = request();
        longer.messages.push(ChatMessage::User { content: String::from("more") });
        let longer = bytes("OpenAI", "m", &Tuning::default(), &longer).unwrap();
        let shared = short.iter().zip(&longer).take_while(|(a, b)| a == b).count();
        let history_end = short.windows(10).position(|part| part == br#"],"tools":"#).unwrap();
        assert!(shared >= history_end);
    }

    #[test]
    fn reasoning_models_get_effort_instead_of_temperature() {
        let openai = asked("OpenAI", "gpt-5-mini");
        assert_eq!(openai["reasoning_effort"], "low");
        assert_eq!(openai["max_completion_tokens"], 7);
        assert!(openai.get("temperature").is_none() && openai.get("max_tokens").is_none());
        let router = asked("OpenRouter", "openai/gpt-5-mini");
        assert_eq!(router["reasoning"], json!({"effort": "low"}));
        assert!(router.get("reasoning_effort").is_none());
        assert_eq!(router["max_tokens"], 7);
    }

    #[test]
    fn output_limit_doubles_up_to_the_models_maximum() {
        let doubled = |max_tokens| ModelRequest { doubled: true, max_tokens, ..request() };
        let tuned = |model: &str, max_tokens| tuned("OpenRouter", model, &Tuning::default(), &doubled(max_tokens));
        assert_eq!(tuned("m", Some(7))["max_tokens"], 14);
        assert_eq!(tuned("m", None)["max_tokens"], 4_096);
        assert_eq!(tuned("openai/gpt-4o", Some(10_000))["max_tokens"], 16_384);
        assert_eq!(tuned("openai/gpt-4o", Some(20_000))["max_tokens"], 20_000, "what was asked for is not made less");
    }

    #[test]
    fn absent_request_values_come_from_settings_or_defaults() {
        let open = ModelRequest { temperature: None, max_tokens: None, ..request() };
        for (provider, limit) in [("OpenRouter", 2_048), ("OpenAICompatible", 4_096)] {
            let plain = tuned(provider, "m", &Tuning::default(), &open);
            assert_eq!((&plain["temperature"], &plain["max_tokens"]), (&json!(0.0), &json!(limit)), "{provider}");
        }
        let tuning = Tuning { temperature: Some(0.5), max_tokens: Some(9), ..Tuning::default() };
        let own = tuned("OpenAICompatible", "m", &tuning, &open);
        assert_eq!((&own["temperature"], &own["max_tokens"]), (&json!(0.5), &json!(9)));
        assert_eq!(tuned("OpenAICompatible", "m", &tuning, &request())["max_tokens"], 7);
        let thinks = Tuning { reasoning: Some(true), effort: Some(String::from("high")), ..tuning.clone() };
        let thinks = tuned("OpenAICompatible", "m", &thinks, &open);
        assert_eq!(thinks["reasoning_effort"], "high");
        assert!(thinks.get("temperature").is_none());
        let not = tuned("OpenAI", "gpt-5", &Tuning { reasoning: Some(false), ..tuning }, &open);
        assert!(not.get("reasoning_effort").is_none());
        assert_eq!(not["temperature"], 0.5);
    }
}
