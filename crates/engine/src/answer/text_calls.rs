//! Tool calls that a model wrote as text, because its server does not know the model's format.
//!
//! They are taken only if the whole text is calls of offered tools. A text that holds a call and
//! other words is never sent.

use super::code;
use domain::chat::ToolCall;
use serde_json::{Map, Value};

#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Nothing,
    /// The whole text is these calls, of offered tools.
    Calls(Vec<ToolCall>),
    /// The text is or holds a call that cannot be taken.
    Unusable,
}

/// Marks of calls, in lower case: Hermes and Qwen, Mistral, Llama, Qwen-Coder, Anthropic-like XML,
/// Granite, Kimi, DeepSeek, Phi, xLAM.
const MARKS: [&str; 20] = [
    "<tool_call",
    "</tool_call",
    "[tool_calls]",
    "[tool_call]",
    "<|python_tag|>",
    "<function=",
    "<function_call",
    "<functioncall",
    "<function_calls>",
    "<invoke name=",
    "<|tool_call",
    "<|tool▁call",
    "<｜tool▁call",
    "<tool_code>",
    "<|function_call|>",
    "<|action_start|>",
    "<tool_use>",
    "<toolcall>",
    "<tool_request>",
    "[tool_request]",
];
/// Dropped between calls.
const WRAPPERS: [&str; 37] = [
    "<tool_calls>",
    "</tool_calls>",
    "<tool_call>",
    "</tool_call>",
    "<tool_use>",
    "</tool_use>",
    "<toolcall>",
    "</toolcall>",
    "<tool_request>",
    "</tool_request>",
    "[TOOL_REQUEST]",
    "[END_TOOL_REQUEST]",
    "<function_calls>",
    "</function_calls>",
    "<function_call>",
    "</function_call>",
    "<functioncall>",
    "</functioncall>",
    "<|function_call|>",
    "<|tool_call|>",
    "<|/tool_call|>",
    "[TOOL_CALLS]",
    "[/TOOL_CALLS]",
    "[TOOL_CALL]",
    "<|python_tag|>",
    "<|action_start|>",
    "<|action_end|>",
    "<|plugin|>",
    "<|tool_calls_section_begin|>",
    "<|tool_calls_section_end|>",
    "<|tool_call_begin|>",
    "<|tool_call_end|>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁sep｜>",
];
/// JSON objects that are looked at in one text.
const OBJECTS: usize = 32;

/// Looks for calls of the tools in `offered`.
pub(super) fn find(text: &str, offered: &[&str]) -> Found {
    let mut reader = Reader { rest: text.trim(), offered, calls: Vec::new() };
    if reader.read().is_some() && !reader.calls.is_empty() {
        let known = reader.calls.iter().all(|call| offered.contains(&call.name.as_str()));
        return if known { Found::Calls(reader.calls) } else { Found::Unusable };
    }
    if has_marks(text) || mentions_call(text, offered) { Found::Unusable } else { Found::Nothing }
}

/// True for a mark outside of code.
pub(super) fn has_marks(text: &str) -> bool {
    let lower = text.to_lowercase();
    // Lower case may change lengths; then the ranges of code do not apply.
    let code = if lower.len() == text.len() { code::ranges(text) } else { Vec::new() };
    MARKS.iter().any(|mark| lower.match_indices(mark).any(|(at, _)| !code::holds(&code, at)))
}

/// True for a JSON object that is a call of an offered tool, for `tool(` at the beginning of a line,
/// and for the beginning of a call that was cut.
fn mentions_call(text: &str, offered: &[&str]) -> bool {
    let objects = text.match_indices('{').take(OBJECTS).any(|(at, _)| {
        let value = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>().next();
        let Some(Ok(Value::Object(fields))) = value else { return false };
        calls_of(fields).is_some_and(|calls| calls.iter().any(|call| offered.contains(&call.name.as_str())))
    });
    let line = |line: &str| {
        let line = line.trim().trim_start_matches(['[', '`']);
        offered.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['(', '{'])))
    };
    let cut = text.contains("\"name\"") && (text.contains("\"arguments\"") || text.contains("\"parameters\""));
    let names = |name: &&str| text.contains(&format!("\"{name}\""));
    objects || text.lines().any(line) || (cut && (offered.is_empty() || offered.iter().any(names)))
}

struct Reader<'a> {
    rest: &'a str,
    offered: &'a [&'a str],
    calls: Vec<ToolCall>,
}

impl<'a> Reader<'a> {
    /// Reads calls up to the end of the text; `None` at anything else.
    fn read(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
            if self.rest.is_empty() {
                return Some(());
            }
            if self.skip_wrapper() {
                continue;
            }
            if self.rest.starts_with(['{', '[']) {
                self.json()?;
            } else if let Some(rest) = self.rest.strip_prefix("<function=") {
                self.tagged(rest, '>', "</function>")?;
            } else if let Some(rest) = self.rest.strip_prefix("<invoke name=\"") {
                self.tagged(rest, '"', "</invoke>")?;
            } else {
                self.named()?;
            }
        }
    }

    fn skip_wrapper(&mut self) -> bool {
        if let Some(rest) = WRAPPERS.iter().find_map(|wrapper| self.rest.strip_prefix(wrapper)) {
            self.rest = rest;
            return true;
        }
        if self.rest.starts_with("```") {
            // The info string of an opening fence, nothing after a closing one.
            let line = self.rest.lines().next().unwrap_or_default();
            let info = line.trim_start_matches('`').trim();
            if info.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
                self.rest = &self.rest[line.len()..];
                return true;
            }
        }
        // `functions.name:0<|tool_call_argument_begin|>{…}` (Kimi), `function<｜tool▁sep｜>name`
        // (DeepSeek).
        if let Some(rest) = self.rest.strip_prefix("function<｜tool▁sep｜>") {
            self.rest = rest;
            return true;
        }
        false
    }

    fn json(&mut self) -> Option<()> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let end = values.byte_offset();
        match value {
            Value::Object(fields) => self.calls.extend(calls_of(fields)?),
            Value::Array(items) => {
                for item in items {
                    let Value::Object(fields) = item else { return None };
                    self.calls.extend(calls_of(fields)?);
                }
            }
            _ => return None,
        }
        self.rest = &self.rest[end..];
        Some(())
    }

    /// `<function=name>{…}</function>`, or with one tag for each argument.
    fn tagged(&mut self, rest: &'a str, end_of_name: char, close: &str) -> Option<()> {
        let (name, rest) = rest.split_once(end_of_name)?;
        let rest = rest.strip_prefix('>').unwrap_or(rest);
        let (inside, after) = rest.split_once(close).unwrap_or((rest, ""));
        let arguments = match inside.trim() {
            "" => Value::Object(Map::new()),
            json if json.starts_with('{') => serde_json::from_str(json).ok()?,
            tags => parameters(tags)?,
        };
        self.calls.push(call(name, arguments));
        self.rest = after;
        Some(())
    }

    /// `name{…}`, `name[ARGS]{…}` (Mistral), `functions.name:0<|tool_call_argument_begin|>{…}`,
    /// `name({…})`, and the same with a fence around the arguments.
    fn named(&mut self) -> Option<()> {
        let rest = self.rest.strip_prefix("functions.").unwrap_or(self.rest);
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        if !self.offered.contains(&name) {
            return None;
        }
        let mut rest = rest.trim_start();
        if let Some(number) = rest.strip_prefix(':') {
            rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        for between in ["<|tool_call_argument_begin|>", "[ARGS]", "[CALL_ID]", "(", "```json", "```"] {
            rest = rest.trim_start().strip_prefix(between).unwrap_or(rest).trim_start();
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        let arguments = values.next()?.ok()?;
        let end = values.byte_offset();
        rest = rest[end..].trim_start();
        rest = rest.strip_prefix("```").unwrap_or(rest).trim_start();
        self.rest = rest.strip_prefix(')').unwrap_or(rest);
        self.calls.push(call(name, Value::Object(arguments)));
        Some(())
    }
}

/// `<parameter=name>value</parameter>` (Qwen-Coder) or `<parameter name="name">value</parameter>`.
fn parameters(text: &str) -> Option<Value> {
    let mut arguments = Map::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let inner = rest.strip_prefix("<parameter")?;
        let (name, inner) = match inner.strip_prefix('=') {
            Some(inner) => inner.split_once('>')?,
            None => {
                let (name, inner) = inner.trim_start().strip_prefix("name=\"")?.split_once('"')?;
                (name, inner.split_once('>')?.1)
            }
        };
        let (value, after) = inner.split_once("</parameter>")?;
        // A text stays a text; the check of the arguments makes it what the schema wants.
        arguments.insert(name.trim().to_owned(), Value::String(value.trim().to_owned()));
        rest = after.trim_start();
    }
    Some(Value::Object(arguments))
}

const NAMES: [&str; 6] = ["name", "function", "tool", "tool_name", "action", "recipient_name"];
const ARGUMENTS: [&str; 7] = ["arguments", "parameters", "args", "input", "action_input", "params", "tool_input"];
/// Members that say nothing about a call.
const OTHERS: [&str; 4] = ["id", "type", "index", "call_id"];
const LISTS: [&str; 4] = ["tool_calls", "tool_uses", "calls", "function_calls"];

/// The calls that an object stands for; `None` if it is no call.
fn calls_of(mut fields: Map<String, Value>) -> Option<Vec<ToolCall>> {
    for list in LISTS {
        if let Some(Value::Array(items)) = fields.get(list) {
            let inner = |item: &Value| calls_of(item.as_object()?.clone());
            return items
                .iter()
                .map(inner)
                .collect::<Option<Vec<_>>>()
                .map(|calls| calls.into_iter().flatten().collect());
        }
    }
    for wrapper in ["function", "function_call", "tool_call"] {
        if let Some(Value::Object(inner)) = fields.get(wrapper) {
            return calls_of(inner.clone());
        }
    }
    let name = NAMES.iter().find_map(|key| fields.get(*key)?.as_str().map(|name| ((*key).to_owned(), name.to_owned())));
    let (key, name) = name?;
    fields.shift_remove(&key);
    let arguments = ARGUMENTS.iter().find_map(|key| fields.shift_remove(*key));
    let others = fields.keys().all(|key| OTHERS.contains(&key.as_str()));
    let arguments = match arguments {
        Some(value @ (Value::Object(_) | Value::String(_))) => value,
        Some(Value::Null) | None if others && !name.contains(' ') && key != "action" => Value::Object(Map::new()),
        _ => return None,
    };
    Some(vec![call(&name, arguments)])
}

fn call(name: &str, arguments: Value) -> ToolCall {
    let arguments = match arguments {
        Value::String(text) => {
            serde_json::from_str::<Map<String, Value>>(&text).map_or(Value::String(text), Value::Object)
        }
        other => other,
    };
    let name = name.trim().trim_start_matches("functions.").to_owned();
    ToolCall { id: String::new(), name, arguments }
}
