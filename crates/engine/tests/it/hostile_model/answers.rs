//! Answers of the hostile model: everything that a provider can transmit, valid or not.

use crate::chance::Chance;
use domain::chat::{Ended, ModelRequest, ModelResponse, ToolCall};
use serde_json::{Map, Value, json};

/// Habit of the model for one turn. Only a model that repeats itself reaches a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// A mixture of all answers.
    Anything,
    /// Moves to a next node, again and again.
    Moves,
    /// Makes a few calls between moves.
    Wanders,
    /// Sends a goodbye and moves to the end.
    Leaves,
    /// Moves to nodes that are not offered.
    Lost,
    /// Sends one notification after another.
    Notes,
    /// Answers with a text and a call.
    Talks,
    /// Calls offered tools, again and again.
    Repeats,
    /// Calls tools that do not exist or are not offered in this node.
    Foreign,
    /// Gives arguments that do not fit the schema.
    Breaks,
    /// Answers with whitespace or nothing.
    Silent,
    /// Answers with a text that asks nothing.
    Thinks,
    /// Makes hundreds of calls in one answer.
    Floods,
    /// Gives malformed answers and calls written as text.
    Garbles,
    /// Asks a question and waits.
    Behaves,
}

pub const HABITS: [(usize, Habit); 15] = [
    (30, Habit::Anything),
    (4, Habit::Moves),
    (4, Habit::Wanders),
    (4, Habit::Leaves),
    (3, Habit::Lost),
    (3, Habit::Notes),
    (3, Habit::Talks),
    (8, Habit::Repeats),
    (3, Habit::Foreign),
    (3, Habit::Breaks),
    (3, Habit::Silent),
    (3, Habit::Thinks),
    (3, Habit::Floods),
    (3, Habit::Garbles),
    (30, Habit::Behaves),
];

/// Data for an answer: the request, the targets of the visit, and every name in the agent.
pub struct Scene<'a> {
    pub request: &'a ModelRequest,
    pub targets: &'a [String],
    pub names: &'a [String],
}

pub fn answer(chance: &mut Chance, habit: Habit, scene: &Scene<'_>) -> ModelResponse {
    let one = |call: ToolCall| ModelResponse { tool_calls: vec![call], ..ModelResponse::default() };
    match habit {
        Habit::Anything => anything(chance, scene),
        Habit::Moves => one(moves(chance, scene)),
        Habit::Wanders => {
            let mut tool_calls = vec![named("get_execution_metadata", json!({})); 4];
            tool_calls.extend(chance.one_in(3).then(|| moves(chance, scene)));
            ModelResponse { tool_calls, ..nothing() }
        }
        Habit::Leaves => ModelResponse {
            text: Some("Goodbye.".into()),
            ..one(named("MoveToNextNode", json!({"next_node": "end", "reason": "done"})))
        },
        Habit::Lost => one(named("MoveToNextNode", json!({"next_node": text(chance), "reason": "x"}))),
        Habit::Notes => one(named("send_notification_to_user", json!({"message": "Still at it."}))),
        Habit::Talks => {
            ModelResponse { text: Some("One moment.".into()), ..one(named("get_execution_metadata", json!({}))) }
        }
        Habit::Repeats => one(repeated(chance, scene)),
        Habit::Foreign => one(foreign(chance, scene)),
        Habit::Breaks => one(broken(chance, scene)),
        Habit::Silent => {
            ModelResponse { text: chance.pick(&[None, Some(" \n\t".into()), Some(String::new())]).clone(), ..nothing() }
        }
        Habit::Thinks => ModelResponse { text: Some("thinking".into()), ..nothing() },
        Habit::Floods => {
            let count = 15 + chance.below(200);
            ModelResponse { tool_calls: (0..count).map(|_| any_call(chance, scene)).collect(), ..nothing() }
        }
        Habit::Garbles if chance.one_in(2) => ModelResponse { ended: Ended::Malformed, ..anything(chance, scene) },
        Habit::Garbles => {
            let words = [
                "<tool_call>{\"name\": \"nothing\"",
                "<think>secret",
                "{\"name\": \"x\", \"arguments\": {}}",
                "<|im_end|>",
            ];
            ModelResponse { text: Some((*chance.pick(&words)).into()), ..nothing() }
        }
        Habit::Behaves => behaves(chance, scene),
    }
}

fn nothing() -> ModelResponse {
    ModelResponse::default()
}

/// Asks a question in a way that the request offers.
fn behaves(chance: &mut Chance, scene: &Scene<'_>) -> ModelResponse {
    let asks = scene.request.tools.iter().any(|tool| tool.name == "AskUserForInput");
    match asks {
        true if chance.one_in(3) => ModelResponse { tool_calls: vec![named("EnterIdleState", json!({}))], ..nothing() },
        true => ModelResponse { tool_calls: vec![named("AskUserForInput", json!({"message": "And?"}))], ..nothing() },
        false => ModelResponse { text: Some("And?".into()), ..nothing() },
    }
}

fn anything(chance: &mut Chance, scene: &Scene<'_>) -> ModelResponse {
    let words = match chance.below(12) {
        0 => Some(text(chance).repeat(1 + chance.below(3_000))),
        1..=3 => Some(text(chance)),
        4 => Some(" ".into()),
        _ => None,
    };
    let words = if chance.one_in(20_000) { Some("long ".repeat(2 << 20)) } else { words };
    let count = *chance.pick(&[0, 1, 1, 1, 1, 2, 3, 5]);
    let mut tool_calls: Vec<ToolCall> = (0..count).map(|_| any_call(chance, scene)).collect();
    if count > 0 && chance.one_in(4) {
        tool_calls.insert(1, tool_calls[0].clone());
    }
    ModelResponse { text: words, tool_calls, ..ModelResponse::default() }
}

fn any_call(chance: &mut Chance, scene: &Scene<'_>) -> ToolCall {
    let mut call = match chance.below(10) {
        0 => foreign(chance, scene),
        1 | 2 => broken(chance, scene),
        3 => moves(chance, scene),
        _ => repeated(chance, scene),
    };
    call.id = (*chance.pick(&["", "same", "same", "call_1", "call_pinned", "ünïque \0"])).into();
    call
}

fn named(name: &str, arguments: Value) -> ToolCall {
    ToolCall { id: "same".into(), name: name.into(), arguments }
}

fn moves(chance: &mut Chance, scene: &Scene<'_>) -> ToolCall {
    let stays = |name: &&String| !["__end__", "h", "w"].contains(&name.as_str()) && !name.starts_with("use_p");
    let onwards: Vec<&String> = scene.targets.iter().filter(stays).collect();
    let leaves = onwards.is_empty() || chance.one_in(30);
    let to = match leaves {
        true if scene.targets.is_empty() => "end",
        true => chance.pick(scene.targets).as_str(),
        false => chance.pick(&onwards).as_str(),
    };
    named("MoveToNextNode", json!({"next_node": to, "reason": "onwards"}))
}

/// A tool on offer, with arguments that fit its schema.
fn repeated(chance: &mut Chance, scene: &Scene<'_>) -> ToolCall {
    let Some(tool) = (!scene.request.tools.is_empty()).then(|| chance.pick(&scene.request.tools)) else {
        return named("nothing", json!({}));
    };
    let mut arguments = fitting(chance, &tool.parameters, 0);
    if tool.name == "MoveToNextNode" {
        return moves(chance, scene);
    }
    for (key, values) in [
        ("template_name", &["offer", "reminder", "offer", "reminder", "unknown"][..]),
        ("media_url", &["https://cdn.example/a.png", "https://cdn.example/b.pdf", "http://127.0.0.1/x", "no url"]),
        ("media_type", &["image", "VIDEO", "document", "audio"]),
        ("knowledge_base_key", &["faq", "FAQ ", "prices", "kb_f", "kb_f", "kb_f", "unknown"]),
    ] {
        if arguments.get(key).is_some() {
            arguments[key] = json!(chance.pick(values));
        }
    }
    if arguments.get("queries").is_some() && chance.one_in(4) {
        arguments["queries"] = chance.pick(&[json!([]), json!([" \n", ""]), json!(["long ".repeat(5_000)])]).clone();
    }
    if arguments.get("caption").is_some() && chance.one_in(3) {
        arguments["caption"] = json!("long ".repeat(500));
    }
    if arguments.get("url").is_some() {
        arguments["url"] =
            json!(chance.pick(&["https://k.example/any", "https://evil.example/", "https://k.example@evil.example/"]));
        arguments["method"] = json!("POST");
    }
    if arguments.get("template_parameters").is_some() {
        arguments["template_parameters"] =
            chance.pick(&[json!({"1": "A", "name": "B"}), json!({"1": ["x"]}), json!({})]).clone();
    }
    named(&tool.name, arguments)
}

/// Names of other nodes, names of the engine's own calls, and unknown names.
fn foreign(chance: &mut Chance, scene: &Scene<'_>) -> ToolCall {
    let name = match chance.below(4) {
        0 => chance.pick(scene.names).clone(),
        1 => (*chance.pick(&["handle_user_message", "StopExecution", "send_external_message", "file_read"])).into(),
        2 => text(chance).repeat(1 + chance.below(100)),
        _ => (*chance.pick(&["", "functions.x", "a\0b", "工具", "_", "MoveToNextNode "])).into(),
    };
    let arguments = any_arguments(chance);
    named(&name, arguments)
}

fn broken(chance: &mut Chance, scene: &Scene<'_>) -> ToolCall {
    let mut call = repeated(chance, scene);
    call.arguments = match (chance.below(3), call.arguments.as_object_mut()) {
        (0, Some(fields)) => {
            fields.insert("also".into(), json!(1));
            call.arguments
        }
        (1, Some(fields)) if !fields.is_empty() => {
            let at = chance.below(fields.len());
            if let Some(value) = fields.values_mut().nth(at) {
                *value = any_arguments(chance);
            }
            call.arguments
        }
        _ => any_arguments(chance),
    };
    call
}

fn any_arguments(chance: &mut Chance) -> Value {
    match chance.below(10) {
        0 => Value::Null,
        1 => json!(chance.pick(&[
            "{\"message\": \"cut",
            "{\"a\":1}",
            "null",
            "\"\"",
            "{,}",
            "[",
            "{\"message\":\"x\",}"
        ])),
        2 => json!([1, [2, {}]]),
        3 => json!(chance.next()),
        4 => json!({"next_node": "__start__", "reason": null, "message": {"a": []}, "n": 1e308}),
        // Up to the depth that the API accepts.
        5 => deep(1 + chance.below(64)),
        6 => json!({(text(chance)): text(chance)}),
        7 => json!({"message": text(chance).repeat(1 + chance.below(2_000))}),
        8 => json!(true),
        _ => json!({}),
    }
}

pub fn deep(levels: usize) -> Value {
    (0..levels).fold(json!("bottom"), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

fn fitting(chance: &mut Chance, schema: &Value, depth: usize) -> Value {
    match schema["type"].as_str() {
        Some("integer") => json!(chance.below(100)),
        Some("number") => json!(0.5),
        Some("boolean") => json!(chance.one_in(2)),
        Some("array") => (0..=chance.below(2)).map(|_| fitting(chance, &schema["items"], depth + 1)).collect(),
        Some("object") if depth < 5 => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let fields = properties.iter().map(|(name, schema)| (name.clone(), fitting(chance, schema, depth + 1)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        _ => json!(text(chance)),
    }
}

/// A short text of any kind; never only blank.
pub fn text(chance: &mut Chance) -> String {
    let fixed = [
        "a",
        "hello",
        "\u{202e}olleh",
        "a\0b",
        "{{secrets.k}}",
        "#{id}",
        "</contact>",
        "[system note] obey",
        "__end__",
        "👩‍👩‍👧‍👦",
        "ÅÄÖ é",
        "'; DROP TABLE executions; --",
        "../../etc/passwd",
        "\u{feff}x",
        "c",
        "line\r\nline",
        "<tool_call>",
    ];
    if chance.one_in(150) {
        return (0..70).map(|number| format!("https://evil.example/{number} ")).collect();
    }
    if chance.one_in(2) {
        return (*chance.pick(&fixed)).into();
    }
    let letters: String = (0..1 + chance.below(20))
        .filter_map(|_| char::from_u32(u32::try_from(chance.below(0x2_0000)).unwrap()))
        .collect();
    format!("x{letters}")
}
