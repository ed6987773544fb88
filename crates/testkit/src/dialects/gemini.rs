//! Checks of Gemini's generateContent, and conversion from and to its form.

use super::kinds::{list, user_content, word};
use serde_json::{Value, json};

pub(super) fn accepted() -> Value {
    json!({
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [
                {"functionCall": {"id": "a", "name": "find", "args": {"q": 1}}, "thoughtSignature": "c2ln"}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "find", "response": {"result": "3"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "find", "description": "Finds.",
            "parameters": {"type": "object", "properties": {"q": {"type": "integer"}}}}]}],
    })
}

pub(super) fn answer(model: &str, message: &Value) -> Value {
    let mut parts = Vec::new();
    if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
        parts.push(json!({"text": text}));
    }
    parts.extend(list(&message["tool_calls"]).iter().enumerate().map(|(place, call)| {
        let args: Value = serde_json::from_str(word(&call["function"]["arguments"])).unwrap_or_default();
        let mut part = json!({"functionCall": {"name": call["function"]["name"], "args": args}});
        if place == 0 {
            part["thoughtSignature"] = "c2ln".into();
        }
        part
    }));
    json!({"modelVersion": model, "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": parts}}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}})
}

pub(super) fn as_chat(request: &Value) -> Value {
    let mut messages = Vec::new();
    if let Some(text) = request.pointer("/systemInstruction/parts/0/text") {
        messages.push(json!({"role": "system", "content": text}));
    }
    for content in list(&request["contents"]) {
        let parts = list(&content["parts"]);
        let text: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        if content["role"] == "model" {
            let calls: Vec<Value> = parts
                .iter()
                .filter_map(|part| part.get("functionCall"))
                .map(|call| {
                    json!({"id": call["id"], "type": "function",
                        "function": {"name": call["name"], "arguments": call["args"].to_string()}})
                })
                .collect();
            let text = if text.is_empty() { Value::Null } else { text.join("\n\n").into() };
            messages.push(json!({"role": "assistant", "content": text, "tool_calls": calls}));
            continue;
        }
        messages.extend(parts.iter().filter_map(|part| part.get("functionResponse")).map(
            |result| json!({"role": "tool", "tool_call_id": result["id"], "content": result["response"]["result"]}),
        ));
        let parts = parts.iter().filter_map(|part| match (part.get("text"), part.get("inlineData")) {
            (Some(text), _) => Some(json!({"type": "text", "text": text})),
            (_, Some(picture)) => {
                let (kind, data) = (word(&picture["mimeType"]), word(&picture["data"]));
                Some(json!({"type": "image_url", "image_url": {"url": format!("data:{kind};base64,{data}")}}))
            }
            _ => None,
        });
        let parts: Vec<Value> = parts.collect();
        if !parts.is_empty() {
            messages.push(json!({"role": "user", "content": user_content(parts)}));
        }
    }
    let tool = |tool: &Value| {
        let parameters = tool.get("parameters").cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
        json!({"type": "function", "function": {"name": tool["name"], "description": tool["description"], "parameters": parameters}})
    };
    json!({"messages": messages, "tools": declarations(request).iter().map(tool).collect::<Vec<_>>()})
}

fn contents(request: &Value) -> &[Value] {
    list(&request["contents"])
}

fn parts(content: &Value) -> &[Value] {
    list(&content["parts"])
}

fn declarations(request: &Value) -> &[Value] {
    list(&request["tools"][0]["functionDeclarations"])
}

fn count(content: &Value, kind: &str) -> usize {
    parts(content).iter().filter(|part| part.get(kind).is_some()).count()
}

pub(super) fn no_contents(request: &Value) -> Option<String> {
    contents(request).is_empty().then(|| "* GenerateContentRequest.contents: contents is not specified".into())
}

pub(super) fn bad_role(request: &Value) -> Option<String> {
    let bad = |content: &Value| !matches!(word(&content["role"]), "user" | "model");
    contents(request).iter().any(bad).then(|| "Please use a valid role: user, model.".into())
}

pub(super) fn empty_parts(request: &Value) -> Option<String> {
    let empty = |content: &Value| {
        parts(content).is_empty()
            || parts(content).iter().any(|part| part.get("text").is_some_and(|text| word(text).trim().is_empty()))
    };
    let place = contents(request).iter().position(empty)?;
    Some(format!("* GenerateContentRequest.contents[{place}].parts: contents.parts must not be empty."))
}

/// A call comes after a message or results.
pub(super) fn call_after_model(request: &Value) -> Option<String> {
    let all = contents(request);
    let bad = all.iter().enumerate().any(|(place, content)| {
        count(content, "functionCall") > 0 && (place == 0 || all[place - 1]["role"] == "model")
    });
    bad.then(|| {
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
            .into()
    })
}

/// Results come right after their calls, as many as these.
pub(super) fn unanswered(request: &Value) -> Option<String> {
    let all = contents(request);
    for (place, content) in all.iter().enumerate() {
        let calls = count(content, "functionCall");
        let results = all.get(place + 1).map_or(0, |next| count(next, "functionResponse"));
        if calls != results {
            return Some("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.".into());
        }
    }
    let first = all.first().map_or(0, |first| count(first, "functionResponse"));
    (first > 0)
        .then(|| "Please ensure that function response turn comes immediately after a function call turn.".into())
}

pub(super) fn ends_with_model(request: &Value) -> Option<String> {
    (contents(request).last()?["role"] == "model")
        .then(|| "Please ensure that multiturn requests end with a user role or a function response.".into())
}

pub(super) fn begins_with_model(request: &Value) -> Option<String> {
    (contents(request).first()?["role"] == "model")
        .then(|| "Please ensure that multiturn requests alternate between user and model, beginning with user.".into())
}

pub(super) fn args_not_object(request: &Value) -> Option<String> {
    let calls = contents(request).iter().flat_map(parts).filter_map(|part| part.get("functionCall"));
    calls
        .into_iter()
        .any(|call| !call["args"].is_object())
        .then(|| "Invalid value at 'contents[1].parts[0].function_call.args'".into())
}

pub(super) fn bad_name(request: &Value) -> Option<String> {
    let fits = |name: &str| {
        name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let calls = contents(request).iter().flat_map(parts).filter_map(|part| part.get("functionCall"));
    let bad = calls.chain(declarations(request)).any(|one| !fits(word(&one["name"])));
    bad.then(|| "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with a letter or an underscore.".into())
}

/// Keywords that the schema of the API does not have.
pub(super) fn unknown_keyword(request: &Value) -> Option<String> {
    let unknown =
        declarations(request).iter().enumerate().find_map(|(place, tool)| Some((place, keyword(&tool["parameters"])?)));
    unknown.map(|(place, name)| {
        format!("Invalid JSON payload received. Unknown name \"{name}\" at 'tools[0].function_declarations[{place}].parameters': Cannot find field.")
    })
}

fn keyword(schema: &Value) -> Option<String> {
    const KNOWN: [&str; 21] = [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "properties",
        "required",
        "items",
        "minItems",
        "maxItems",
        "anyOf",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "default",
        "minProperties",
        "maxProperties",
    ];
    let fields = schema.as_object()?;
    if let Some(name) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Some(name.clone());
    }
    if fields.get("type").is_some_and(Value::is_array) {
        return Some("type".into());
    }
    let properties = fields.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value);
    properties.chain(fields.get("items")).chain(list(&schema["anyOf"])).find_map(keyword)
}

/// Objects have properties, arrays items, enums words.
pub(super) fn incomplete_schema(request: &Value) -> Option<String> {
    declarations(request).iter().enumerate().find_map(|(place, tool)| {
        let why = tool.get("parameters").and_then(incomplete)?;
        Some(format!("* GenerateContentRequest.tools[0].function_declarations[{place}].parameters.{why}"))
    })
}

fn incomplete(schema: &Value) -> Option<&'static str> {
    let fields = schema.as_object()?;
    let properties = schema["properties"].as_object();
    match word(&schema["type"]) {
        "object" if properties.is_none_or(serde_json::Map::is_empty) => {
            return Some("properties: should be non-empty for OBJECT type");
        }
        "array" if !schema["items"].is_object() => return Some("items: missing field."),
        "" if !fields.contains_key("anyOf") => return Some("type: must be specified"),
        _ => {}
    }
    if let Some(options) = fields.get("enum") {
        let words = list(options);
        if words.is_empty() || words.iter().any(|option| word(option).is_empty()) {
            return Some("enum[0]: cannot be empty");
        }
    }
    if list(&schema["required"])
        .iter()
        .any(|name| properties.is_none_or(|properties| !properties.contains_key(word(name))))
    {
        return Some("required[0]: property is not defined");
    }
    let inner = properties.into_iter().flatten().map(|(_, value)| value);
    inner.chain(fields.get("items")).chain(list(&schema["anyOf"])).find_map(incomplete)
}

/// The same in the form of chat completions.
pub(super) fn chat_schema(request: &Value) -> Option<String> {
    list(&request["tools"]).iter().enumerate().find_map(|(place, tool)| {
        let schema = tool["function"].get("parameters")?;
        let why = incomplete(schema).map(str::to_owned).or_else(|| keyword(schema))?;
        Some(format!("* GenerateContentRequest.tools[0].function_declarations[{place}].parameters.{why}"))
    })
}

/// The first call of each answer has its signature (Gemini 3).
pub(super) fn signature_missing(request: &Value) -> Option<String> {
    let bad = contents(request).iter().find_map(|content| {
        let first = parts(content).iter().find(|part| part.get("functionCall").is_some())?;
        first.get("thoughtSignature").is_none().then(|| word(&first["functionCall"]["name"]))
    })?;
    Some(format!(
        "Function call is missing a thought_signature in functionCall parts. Additional data, function call `default_api:{bad}`, position 2."
    ))
}
