//! Writes requests in Anthropic's format.
//!
//! The end of the system prompt and the last message are marked for the cache
//! (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching).

use crate::llm::{
    Tuning,
    adaptation::Adaptation,
    dialect::Dialect,
    form::Form,
    known_models::claude_takes_temperature,
    neutral::{self, Answer, Part, Shown, Turn},
    openai::longest,
    schemas,
};
use domain::chat::ModelRequest;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

const PROVIDER: &str = "Anthropic";
/// Smallest budget of thinking.
const THINKING: u32 = 1_024;

pub(in crate::llm) fn bytes(
    model: &str,
    tuning: &Tuning,
    request: &ModelRequest,
    Form { adapted, streamed, pictures }: &Form,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut turns = neutral::turns(request, Dialect::Anthropic.as_str(), pictures);
    let without_parts = adapted.contains(&Adaptation::NoOpaque);
    let thinks =
        tuning.reasons(model) && !adapted.contains(&Adaptation::NoEffort) && !without_parts && may_think(&turns);
    let system = neutral::system(request, &mut turns, adapted);
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    let most = longest(PROVIDER, model, tuning, request, adapted);
    let most = if thinks { most.max(2 * THINKING) } else { most };
    body.insert("max_tokens".into(), most.into());
    if let Some(system) = system {
        let system = json!([{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]);
        body.insert("system".into(), system);
    }
    body.insert("messages".into(), messages(&turns, without_parts).into());
    tools(&mut body, request, &turns);
    if thinks {
        let budget = match tuning.effort() {
            "high" => most / 2,
            "medium" => most / 4,
            _ => THINKING,
        };
        body.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": budget.max(THINKING)}));
    } else if !tuning.reasons(model) && claude_takes_temperature(model) && !adapted.contains(&Adaptation::NoTemperature)
    {
        // Anthropic's range ends at 1.
        let temperature = request.temperature.unwrap_or_else(|| tuning.temperature());
        body.insert("temperature".into(), temperature.min(1.0).into());
    }
    if *streamed {
        body.insert("stream".into(), true.into());
    }
    serde_json::to_vec(&body)
}

/// With thinking on, the answers since the contact's last message must begin with their thinking
/// blocks; calls that the engine wrote, or another model, have none.
fn may_think(turns: &[Turn<'_>]) -> bool {
    let since = turns.iter().rposition(|turn| matches!(turn, Turn::User(_))).unwrap_or(0);
    turns[since..].iter().all(|turn| match turn {
        Turn::Agent(answer) => answer.opaque.is_some(),
        _ => true,
    })
}

fn messages(turns: &[Turn<'_>], without_parts: bool) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    for turn in turns {
        let (role, mut blocks) = match turn {
            Turn::User(parts) => ("user", parts.iter().map(of_part).collect()),
            Turn::Results(results) => ("user", results.iter().map(of_result).collect()),
            Turn::Agent(answer) => ("assistant", of_agent(answer, without_parts)),
        };
        // Results and the next text are one message.
        match messages.last_mut().filter(|last| last["role"] == role).and_then(|last| last["content"].as_array_mut()) {
            Some(content) => content.append(&mut blocks),
            None => messages.push(json!({"role": role, "content": blocks})),
        }
    }
    let last = messages.last_mut().and_then(|last| last["content"].as_array_mut()?.last_mut());
    if let Some(last) = last {
        last["cache_control"] = json!({"type": "ephemeral"});
    }
    messages
}

/// https://docs.anthropic.com/en/docs/build-with-claude/vision
fn of_part(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => of_text(text),
        Part::Picture(Shown { mime_type, data }) => {
            json!({"type": "image", "source": {"type": "base64", "media_type": mime_type, "data": data}})
        }
    }
}

fn of_text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn of_result(result: &neutral::Outcome<'_>) -> Value {
    json!({"type": "tool_result", "tool_use_id": result.id, "content": result.content})
}

/// Thinking comes first, then text, then calls.
fn of_agent(answer: &Answer<'_>, without_parts: bool) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    if !without_parts {
        blocks.extend(answer.opaque.and_then(Value::as_array).into_iter().flatten().cloned());
    }
    // "final assistant content cannot end with trailing whitespace".
    blocks.extend(answer.texts.iter().map(|text| of_text(text.trim_end())));
    blocks.extend(
        answer
            .calls
            .iter()
            .map(|call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})),
    );
    blocks
}

fn tools(body: &mut Map<String, Value>, request: &ModelRequest, turns: &[Turn<'_>]) {
    if request.tools.is_empty() {
        let called = neutral::uncalled(turns);
        if !called.is_empty() {
            let tool = |(name, schema): (Cow<'_, str>, Value)| json!({"name": name, "input_schema": schema});
            body.insert("tools".into(), called.into_iter().map(tool).collect());
            body.insert("tool_choice".into(), json!({"type": "none"}));
        }
        return;
    }
    let tool = |tool: &domain::chat::ToolSpec| {
        json!({"name": tool.name, "description": schemas::description(tool),
            "input_schema": schemas::parameters(Dialect::Anthropic, &tool.parameters)})
    };
    body.insert("tools".into(), request.tools.iter().map(tool).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::{ChatMessage, Opaque, ToolCall};

    fn request() -> ModelRequest {
        let call = ToolCall { id: "callfirst".into(), name: "find".into(), arguments: json!({"q": 1}) };
        let thinking = json!([{"type": "thinking", "thinking": "hm", "signature": "s"}]);
        ModelRequest {
            system: "be kind".into(),
            messages: vec![
                ChatMessage::user("hi".into()),
                ChatMessage::Assistant {
                    content: Some("one moment ".into()),
                    tool_calls: vec![call],
                    opaque: Some(Opaque { provider: "anthropic".into(), parts: thinking }),
                },
                ChatMessage::Tool { call_id: "callfirst".into(), content: "3".into() },
            ],
            ..ModelRequest::default()
        }
    }

    fn body(request: &ModelRequest, tuning: &Tuning, adapted: &[Adaptation]) -> Value {
        let form = Form { adapted: adapted.iter().copied().collect(), streamed: true, ..Form::default() };
        serde_json::from_slice(&bytes("claude-haiku-4-5", tuning, request, &form).unwrap()).unwrap()
    }

    #[test]
    fn request_has_the_form_of_messages() {
        let mut request = request();
        request.messages.push(ChatMessage::user("and?".into()));
        let mark = json!({"type": "ephemeral"});
        assert_eq!(
            body(&request, &Tuning::default(), &[]),
            json!({"model": "claude-haiku-4-5", "max_tokens": 4_096,
                "system": [{"type": "text", "text": "be kind", "cache_control": mark}],
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "text", "text": "one moment"},
                        {"type": "tool_use", "id": "callfirst", "name": "find", "input": {"q": 1}}]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "callfirst", "content": "3"},
                        {"type": "text", "text": "and?", "cache_control": mark}]}],
                "tools": [{"name": "find", "input_schema": {"type": "object", "properties": {}}}],
                "tool_choice": {"type": "none"},
                "temperature": 0.0,
                "stream": true})
        );
    }

    #[test]
    fn model_thinks_only_where_every_answer_since_the_contact_has_its_thinking() {
        let tuning = Tuning { reasoning: Some(true), ..Tuning::default() };
        let mut request = request();
        let thinks = body(&request, &tuning, &[]);
        assert_eq!(thinks["thinking"], json!({"type": "enabled", "budget_tokens": 1_024}));
        assert!(thinks.get("temperature").is_none());
        assert!(body(&request, &tuning, &[Adaptation::NoEffort]).get("thinking").is_none());
        let plain = body(&request, &tuning, &[Adaptation::NoOpaque]);
        assert!(plain.get("thinking").is_none() && !plain["messages"].to_string().contains("signature"));
        assert!(plain.get("temperature").is_none(), "the agent says that the model takes none");
        request.messages[1] = ChatMessage::assistant(Some("x".into()), vec![]);
        request.messages.truncate(2);
        // The contact's last message is what asks to continue.
        assert!(body(&request, &tuning, &[]).get("thinking").is_some());
    }
}
