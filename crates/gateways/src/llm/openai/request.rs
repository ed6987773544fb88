//! Writes requests in OpenAI's format, in the dialect of each server.

use super::{
    super::{
        Tuning,
        adaptation::Adaptation,
        dialect::Dialect,
        form::Form,
        known_models, neutral,
        neutral::{Answer, Part, Shown, Turn},
        schemas,
    },
    opaque,
};
use domain::chat::{ModelRequest, ToolSpec};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Said by the agent where a server wants an answer between a result and the next message.
const BRIDGE: &str = "Understood.";

/// The request's body. Equal requests give equal bytes.
pub(in crate::llm) fn bytes(
    dialect: Dialect,
    provider: &str,
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
    Form { adapted, streamed, pictures }: &Form,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut turns = neutral::turns(request, dialect.as_str(), pictures);
    let mut messages = Vec::with_capacity(turns.len() + 1);
    if let Some(system) = neutral::system(request, &mut turns, adapted) {
        messages.push(json!({"role": "system", "content": system}));
    }
    let parts_wanted = dialect.takes_parts() && !adapted.contains(&Adaptation::NoOpaque);
    let filled = parts_wanted && adapted.contains(&Adaptation::FilledOpaque);
    for (place, turn) in turns.iter().enumerate() {
        match turn {
            Turn::User(parts) => messages.push(json!({"role": "user", "content": of_user(parts)})),
            Turn::Agent(answer) => {
                let mut message = of_agent(answer);
                if parts_wanted {
                    opaque::give_back(&mut message, answer.opaque, dialect, filled);
                }
                messages.push(Value::Object(message));
            }
            Turn::Results(results) => {
                let result = |one: &neutral::Outcome<'_>| json!({"role": "tool", "tool_call_id": one.id, "content": one.content});
                messages.extend(results.iter().map(result));
                let next_is_user = matches!(turns.get(place + 1), Some(Turn::User(_)));
                if next_is_user && adapted.contains(&Adaptation::Bridge) {
                    messages.push(json!({"role": "assistant", "content": BRIDGE}));
                }
            }
        }
    }
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("messages".into(), messages.into());
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(|tool| self::tool(dialect, tool)).collect());
    }
    settings(&mut body, dialect, provider, model, tuning, request, adapted);
    body.insert("stream".into(), (*streamed).into());
    // Without it most servers count no tokens
    // (https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options).
    if *streamed && !adapted.contains(&Adaptation::NoStreamOptions) {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    serde_json::to_vec(&body)
}

fn settings(
    body: &mut Map<String, Value>,
    dialect: Dialect,
    provider: &str,
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
    adapted: &BTreeSet<Adaptation>,
) {
    let reasons = tuning.reasons(model);
    if !reasons && !adapted.contains(&Adaptation::NoTemperature) {
        body.insert("temperature".into(), request.temperature.unwrap_or_else(|| tuning.temperature()).into());
    }
    if reasons && !adapted.contains(&Adaptation::NoEffort) {
        if dialect == Dialect::OpenRouter {
            body.insert("reasoning".into(), json!({"effort": tuning.effort()}));
        } else {
            body.insert("reasoning_effort".into(), tuning.effort().into());
        }
    }
    // OpenAI refuses the old name for its newer models; most other servers accept only the old
    // name.
    let newer = dialect.has_completion_limit() != adapted.contains(&Adaptation::LimitName);
    let name = if newer { "max_completion_tokens" } else { "max_tokens" };
    body.insert(name.into(), longest(provider, model, tuning, request, adapted).into());
}

/// The longest answer in tokens.
pub(in crate::llm) fn longest(
    provider: &str,
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
    adapted: &BTreeSet<Adaptation>,
) -> u32 {
    let usual = request.max_tokens.unwrap_or_else(|| tuning.max_tokens(provider));
    let asked = if request.doubled { known_models::doubled(usual, model) } else { usual };
    let most = adapted.iter().find_map(|one| if let Adaptation::Longest(most) = one { Some(*most) } else { None });
    let asked = most.map_or(asked, |most| asked.min(most));
    request.room.map_or(asked, |room| asked.min(room))
}

/// One text, or parts if there are pictures
/// (https://platform.openai.com/docs/guides/images-vision).
fn of_user(parts: &[Part<'_>]) -> Value {
    let mut content: Vec<Value> = Vec::new();
    for run in parts.chunk_by(|one, next| matches!((one, next), (Part::Text(_), Part::Text(_)))) {
        let texts: Vec<&str> =
            run.iter().filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None }).collect();
        content.push(match &run[0] {
            Part::Text(_) => json!({"type": "text", "text": texts.join("\n\n")}),
            Part::Picture(Shown { mime_type, data }) => {
                json!({"type": "image_url", "image_url": {"url": format!("data:{mime_type};base64,{data}")}})
            }
        });
    }
    match &mut content[..] {
        [only] if only["type"] == "text" => only["text"].take(),
        _ => Value::Array(content),
    }
}

fn of_agent(answer: &Answer<'_>) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    // Null is allowed only with calls.
    message.insert("content".into(), answer.text().map_or(Value::Null, Value::String));
    if !answer.calls.is_empty() {
        let call = |call: &neutral::Call<'_>| {
            let arguments = Value::Object(call.arguments.clone().into_owned()).to_string();
            json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
        };
        message.insert("tool_calls".into(), answer.calls.iter().map(call).collect());
    }
    message
}

fn tool(dialect: Dialect, tool: &ToolSpec) -> Value {
    let mut function = json!({"name": tool.name, "description": schemas::description(tool)});
    if let Some(parameters) = schemas::parameters(dialect, &tool.parameters) {
        function["parameters"] = parameters;
    }
    json!({"type": "function", "function": function})
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::{ChatMessage, ToolCall};

    fn request() -> ModelRequest {
        ModelRequest {
            system: String::from("be kind"),
            messages: vec![
                ChatMessage::user(String::from("hi")),
                ChatMessage::assistant(
                    None,
                    vec![
                        ToolCall {
                            id: String::from("callfirst"),
                            name: String::from("find"),
                            arguments: json!({"z": 1, "a": "é"}),
                        },
                        ToolCall {
                            id: String::from("callagain"),
                            name: String::from("find"),
                            arguments: json!("{broken"),
                        },
                    ],
                ),
                ChatMessage::Tool { call_id: String::from("callfirst"), content: String::from("3") },
                ChatMessage::assistant(None, vec![]),
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
        serde_json::from_slice(&written(provider, model, tuning, request, &[])).unwrap()
    }

    fn written(
        provider: &str,
        model: &str,
        tuning: &Tuning,
        request: &ModelRequest,
        adapted: &[Adaptation],
    ) -> Vec<u8> {
        let dialect = match provider {
            "OpenAI" => Dialect::OpenAi,
            "OpenRouter" => Dialect::OpenRouter,
            "Mistral" => Dialect::Mistral,
            _ => Dialect::Compatible,
        };
        let form = Form { adapted: adapted.iter().copied().collect(), streamed: true, ..Form::default() };
        bytes(dialect, provider, model, tuning, request, &form).unwrap()
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
                        {"id": "callfirst", "type": "function",
                         "function": {"name": "find", "arguments": "{\"z\":1,\"a\":\"é\"}"}},
                        {"id": "callagain", "type": "function",
                         "function": {"name": "find", "arguments": "{\"malformed\":\"{broken\"}"}},
                    ]},
                    {"role": "tool", "tool_call_id": "callfirst", "content": "3"},
                    {"role": "tool", "tool_call_id": "callagain", "content": "{\"error\":\"interrupted\"}"},
                ],
                "tools": [{"type": "function", "function":
                    {"name": "find", "description": "Finds.", "parameters": {"type": "object", "properties": {}}}}],
                "temperature": 0.0,
                "max_tokens": 7,
                "stream": true,
                "stream_options": {"include_usage": true},
            })
        );
    }

    #[test]
    fn request_for_a_whole_answer_has_no_options_of_streams() {
        let body = |adapted: &[Adaptation], streamed| -> Value {
            let form = Form { adapted: adapted.iter().copied().collect(), streamed, ..Form::default() };
            serde_json::from_slice(
                &bytes(Dialect::Compatible, "x", "m", &Tuning::default(), &request(), &form).unwrap(),
            )
            .unwrap()
        };
        let whole = body(&[], false);
        assert_eq!((&whole["stream"], whole.get("stream_options")), (&json!(false), None));
        let uncounted = body(&[Adaptation::NoStreamOptions], true);
        assert_eq!((&uncounted["stream"], uncounted.get("stream_options")), (&json!(true), None));
    }

    #[test]
    fn equal_requests_give_equal_bytes_and_longer_history_keeps_the_prefix() {
        let short = written("OpenAI", "m", &Tuning::default(), &request(), &[]);
        assert_eq!(short, written("OpenAI", "m", &Tuning::default(), &request().clone(), &[]));
        let mut longer = request();
        longer.messages.push(ChatMessage::user(String::from("more")));
        let longer = written("OpenAI", "m", &Tuning::default(), &longer, &[]);
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

    #[test]
    fn adaptations_change_the_form_only() {
        let mut request = request();
        request.messages.push(ChatMessage::user("more".into()));
        let body = |adapted: &[Adaptation]| -> Value {
            serde_json::from_slice(&written("x", "m", &Tuning::default(), &request, adapted)).unwrap()
        };
        let plain = body(&[]);
        assert_eq!(body(&[Adaptation::LimitName])["max_completion_tokens"], plain["max_tokens"]);
        assert!(body(&[Adaptation::NoTemperature]).get("temperature").is_none());
        assert_eq!(body(&[Adaptation::Longest(3)])["max_tokens"], 3);
        let inside = body(&[Adaptation::SystemInUser]);
        assert_eq!(inside["messages"][0], json!({"role": "user", "content": "be kind\n\nhi"}));
        let roles = |body: &Value| -> Vec<String> {
            let messages = body["messages"].as_array().unwrap();
            messages.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(roles(&plain)[3..], ["tool", "tool", "user"]);
        assert_eq!(roles(&body(&[Adaptation::Bridge]))[3..], ["tool", "tool", "assistant", "user"]);
    }
}
