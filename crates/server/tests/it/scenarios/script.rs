//! Parses the short notation of docs/spec/engine.md 9 for model answers: `note("Done."),
//! move(__end__)`.

use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// An assistant message in the provider's format. `held`: sent only when the runner releases
    /// it.
    Message { message: Value, held: bool },
    /// An HTTP error with an optional Retry-After in seconds.
    Error { status: u16, retry_after: Option<u32> },
}

/// Short names of tools, and their positional arguments.
const SHORT: [(&str, &str, &[&str]); 6] = [
    ("ask", "AskUserForInput", &["message"]),
    ("note", "send_notification_to_user", &["message"]),
    ("move", "MoveToNextNode", &["next_node", "reason"]),
    ("idle", "EnterIdleState", &["message"]),
    ("wait", "WaitForUser", &[]),
    ("media", "send_media_message", &["media_url", "media_type", "caption"]),
];

pub fn short(tool: &str) -> &str {
    SHORT.iter().find(|(_, name, _)| *name == tool).map_or(tool, |(short, ..)| short)
}

/// Reads `held: "text", tool(args)`, or `!429 after 1`.
pub fn read(line: &str) -> Answer {
    if let Some(error) = line.strip_prefix('!') {
        let (status, after) =
            error.split_once(" after ").map_or((error, None), |(status, after)| (status, Some(after)));
        let retry_after = after.map(|seconds| seconds.trim().parse().unwrap());
        return Answer::Error { status: status.trim().parse().unwrap(), retry_after };
    }
    let (held, line) = line.strip_prefix("held:").map_or((false, line), |rest| (true, rest));
    let mut text = None;
    let mut calls = Vec::new();
    for term in split(line) {
        if term.starts_with('"') {
            text = Some(value(&term));
            continue;
        }
        let (name, arguments) = term.split_once('(').unwrap_or_else(|| panic!("{term:?} is neither a text nor a call"));
        let arguments = split(arguments.strip_suffix(')').unwrap());
        calls.push(call(calls.len(), name.trim(), &arguments));
    }
    let mut message = json!({"role": "assistant", "content": text});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    Answer::Message { message, held }
}

fn call(place: usize, name: &str, given: &[String]) -> Value {
    let known = SHORT.iter().find(|(short, ..)| *short == name);
    let mut arguments = json!({});
    for (place, word) in given.iter().enumerate() {
        match (value(word), known) {
            (Value::Object(fields), _) => arguments = Value::Object(fields),
            (value, Some((.., names))) => arguments[names[place]] = value,
            (value, None) => panic!("{name} takes an object, not {value}"),
        }
    }
    if name == "move" && arguments.get("reason").is_none() {
        arguments["reason"] = json!("it fits");
    }
    let name = known.map_or(name, |(_, name, _)| name);
    json!({"id": format!("c{place}"), "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
}

/// Parses JSON or a bare word.
fn value(word: &str) -> Value {
    serde_json::from_str(word).unwrap_or_else(|_| json!(word))
}

/// Splits at commas outside strings and brackets.
fn split(line: &str) -> Vec<String> {
    let (mut terms, mut term, mut depth, mut quoted, mut escaped) = (Vec::new(), String::new(), 0, false, false);
    for letter in line.chars() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            '(' | '{' | '[' if !quoted => depth += 1,
            ')' | '}' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                terms.push(std::mem::take(&mut term).trim().to_owned());
                continue;
            }
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        term.push(letter);
    }
    terms.push(term.trim().to_owned());
    terms.retain(|term| !term.is_empty());
    terms
}

#[test]
fn scripted_answers_parse_as_written() {
    let Answer::Message { message, held } = read(r#"held: "Ok, (then)", note("a, \"b\""), move(h, "angry")"#) else {
        panic!()
    };
    assert!(held);
    assert_eq!(message["content"], "Ok, (then)");
    let arguments = |place: usize| -> Value {
        serde_json::from_str(message["tool_calls"][place]["function"]["arguments"].as_str().unwrap()).unwrap()
    };
    assert_eq!(arguments(0), json!({"message": "a, \"b\""}));
    assert_eq!(arguments(1), json!({"next_node": "h", "reason": "angry"}));
    assert_eq!(read("!429 after 1"), Answer::Error { status: 429, retry_after: Some(1) });
}
