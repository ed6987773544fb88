//! Writes requests in Gemini's format.

use crate::llm::{
    Tuning,
    adaptation::Adaptation,
    dialect::Dialect,
    form::Form,
    neutral::{self, Answer, Part, Shown, Turn},
    openai::{NO_SIGNATURE, longest},
    schemas,
};
use domain::chat::{ModelRequest, ToolSpec};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const PROVIDER: &str = "Google";

pub(in crate::llm) fn bytes(
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
    Form { adapted, pictures, .. }: &Form,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut turns = neutral::turns(request, Dialect::Gemini.as_str(), pictures);
    let mut body = Map::new();
    if let Some(system) = neutral::system(request, &mut turns, adapted) {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": system}]}));
    }
    let contents: Vec<Value> = turns.iter().map(|turn| content(turn, adapted)).collect();
    body.insert("contents".into(), contents.into());
    if !request.tools.is_empty() {
        let declarations: Vec<Value> = request.tools.iter().map(declaration).collect();
        body.insert("tools".into(), json!([{"functionDeclarations": declarations}]));
    }
    let mut config = Map::new();
    if !adapted.contains(&Adaptation::NoTemperature) && !tuning.reasons(model) {
        config.insert("temperature".into(), request.temperature.unwrap_or_else(|| tuning.temperature()).into());
    }
    // Thinking takes part of the room.
    config.insert("maxOutputTokens".into(), longest(PROVIDER, model, tuning, request, adapted).into());
    if tuning.reasons(model) && !adapted.contains(&Adaptation::NoEffort) {
        config.insert("thinkingConfig".into(), json!({"thinkingLevel": tuning.effort()}));
    }
    body.insert("generationConfig".into(), config.into());
    serde_json::to_vec(&body)
}

fn content(turn: &Turn<'_>, adapted: &BTreeSet<Adaptation>) -> Value {
    match turn {
        Turn::User(parts) => json!({"role": "user", "parts": parts.iter().map(of_user).collect::<Vec<_>>()}),
        Turn::Results(results) => {
            let part = |one: &neutral::Outcome<'_>| json!({"functionResponse": {"id": one.id, "name": one.name, "response": {"result": one.content}}});
            json!({"role": "user", "parts": results.iter().map(part).collect::<Vec<_>>()})
        }
        Turn::Agent(answer) => json!({"role": "model", "parts": parts(answer, adapted)}),
    }
}

/// https://ai.google.dev/gemini-api/docs/image-understanding
fn of_user(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => json!({"text": text}),
        Part::Picture(Shown { mime_type, data }) => json!({"inlineData": {"mimeType": mime_type, "data": data}}),
    }
}

/// Text, then calls. Signatures stand with the part that they came with; a call of another model
/// has Google's generic one where a model wants one
/// (https://ai.google.dev/gemini-api/docs/thought-signatures).
fn parts(answer: &Answer<'_>, adapted: &BTreeSet<Adaptation>) -> Vec<Value> {
    let known = answer.opaque.filter(|_| !adapted.contains(&Adaptation::NoOpaque));
    let filled = adapted.contains(&Adaptation::FilledOpaque) && !adapted.contains(&Adaptation::NoOpaque);
    let mut parts: Vec<Value> = answer.texts.iter().map(|text| json!({"text": text})).collect();
    if let (Some(last), Some(signature)) = (parts.last_mut(), known.and_then(|known| known.get("text"))) {
        last["thoughtSignature"] = signature.clone();
    }
    for (place, call) in answer.calls.iter().enumerate() {
        let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}});
        let own = known.and_then(|known| known["calls"].get(place)).filter(|own| own.is_string());
        if let Some(signature) = own {
            part["thoughtSignature"] = signature.clone();
        } else if filled && place == 0 {
            part["thoughtSignature"] = NO_SIGNATURE.into();
        }
        parts.push(part);
    }
    parts
}

fn declaration(tool: &ToolSpec) -> Value {
    let mut declaration = json!({"name": tool.name, "description": schemas::description(tool)});
    if let Some(parameters) = schemas::parameters(Dialect::Gemini, &tool.parameters) {
        declaration["parameters"] = parameters;
    }
    declaration
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::{ChatMessage, Opaque, ToolCall};

    fn body(messages: Vec<ChatMessage>, adapted: &[Adaptation]) -> Value {
        let tools = vec![ToolSpec { name: "find".into(), description: "Finds.".into(), parameters: json!({}) }];
        let request = ModelRequest { system: "be kind".into(), messages, tools, ..ModelRequest::default() };
        let form = Form { adapted: adapted.iter().copied().collect(), ..Form::default() };
        serde_json::from_slice(&bytes("gemini-2.5-flash", &Tuning::default(), &request, &form).unwrap()).unwrap()
    }

    fn history(opaque: Option<Opaque>) -> Vec<ChatMessage> {
        let call = ToolCall { id: "callfirst".into(), name: "find".into(), arguments: json!({"q": 1}) };
        vec![
            ChatMessage::user("hi".into()),
            ChatMessage::Assistant { content: Some("one moment".into()), tool_calls: vec![call], opaque },
            ChatMessage::Tool { call_id: "callfirst".into(), content: "3".into() },
        ]
    }

    #[test]
    fn request_has_the_form_of_generate_content() {
        let parts = json!({"calls": ["sig"]});
        let opaque = Some(Opaque { provider: "gemini".into(), parts });
        assert_eq!(
            body(history(opaque), &[]),
            json!({"systemInstruction": {"parts": [{"text": "be kind"}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "hi"}]},
                    {"role": "model", "parts": [{"text": "one moment"},
                        {"functionCall": {"id": "callfirst", "name": "find", "args": {"q": 1}}, "thoughtSignature": "sig"}]},
                    {"role": "user", "parts": [
                        {"functionResponse": {"id": "callfirst", "name": "find", "response": {"result": "3"}}}]}],
                "tools": [{"functionDeclarations": [{"name": "find", "description": "Finds."}]}],
                "generationConfig": {"temperature": 0.0, "maxOutputTokens": 8_192}})
        );
    }

    #[test]
    fn call_of_another_model_gets_the_generic_signature_if_one_is_wanted() {
        let signature = |adapted: &[Adaptation]| {
            body(history(None), adapted)["contents"][1]["parts"][1].get("thoughtSignature").cloned()
        };
        assert_eq!(signature(&[]), None);
        assert_eq!(signature(&[Adaptation::FilledOpaque]), Some(json!(NO_SIGNATURE)));
        assert_eq!(signature(&[Adaptation::FilledOpaque, Adaptation::NoOpaque]), None);
    }
}
