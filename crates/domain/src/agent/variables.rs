//! Fills `{{path}}` from the engine's context and `#{name}` from the model's arguments
//! (docs/spec/engine.md 1.7).
//! Values are data: they are escaped for their destination and never scanned again. Where both syntaxes
//! occur, use [`fill`], which fills both in one pass. Two passes would let a contact named
//! `#{amount}`, or a model that writes `{{secrets.key}}`, reach values that are not theirs.

use super::room::Room;
use crate::limits::{REQUEST_BYTES, REQUEST_VARIABLES};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Variables without a value that are reported of one text.
const MOST_UNKNOWN: usize = 20;
/// Longest scheme, host and port. Text after that is escaped.
const LONGEST_ORIGIN: usize = 2_048;

/// Destination of filled text; decides how values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Text for the model or a person: unchanged.
    Prompt,
    /// A URL: percent-encoded. Only `vars` and `secrets` in scheme, host and port are unchanged, so
    /// that a base URL can be configured; `#{name}` never is.
    Url,
    /// A string inside parsed JSON: unchanged, because the JSON writer escapes it.
    JsonString,
    /// JSON text that did not parse on its own, for example `{"n": #{n}}`: escaped as inside a JSON
    /// string.
    JsonText,
    /// A header name or value: without control characters.
    Header,
}

/// Sources of values; a syntax without a source is left unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// For `{{path}}`: `{"contact": {…}, "vars": {…}, "now": "…", …}`.
    pub context: Option<&'a Value>,
    /// For `#{name}`: the arguments of the tool call.
    pub arguments: Option<&'a Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled {
    pub text: String,
    /// Paths and names without a value, each once, in order, at most 20; they are replaced by nothing.
    pub unknown: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FilledValue {
    pub value: Value,
    /// As in [`Filled`].
    pub unknown: Vec<String>,
}

/// Fills `{{path}}`; `#{name}` stays.
pub fn fill_context(template: &str, ctx: &Value, destination: Destination) -> Filled {
    fill(template, Sources { context: Some(ctx), arguments: None }, destination)
}

/// Fills `#{name}`; `{{path}}` stays.
pub fn fill_arguments(template: &str, args: &Map<String, Value>, destination: Destination) -> Filled {
    fill(template, Sources { context: None, arguments: Some(args) }, destination)
}

/// Fills both syntaxes in one pass.
pub fn fill(template: &str, sources: Sources<'_>, destination: Destination) -> Filled {
    fill_within(template, sources, destination, &mut Room::new(REQUEST_BYTES))
}

/// The same within the room that is left.
pub fn fill_within(template: &str, sources: Sources<'_>, destination: Destination, room: &mut Room) -> Filled {
    let mut unknown = Distinct::default();
    let text = fill_noting(template, sources, destination, room, &mut unknown);
    Filled { text, unknown: unknown.list }
}

fn fill_noting(
    template: &str,
    sources: Sources<'_>,
    destination: Destination,
    room: &mut Room,
    unknown: &mut Distinct,
) -> String {
    // The template's own text goes first: however long the values, it is whole.
    room.take(template.len());
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, variable, after)) = next(rest) {
        text.push_str(before);
        let written = &rest[before.len()..rest.len() - after.len()];
        let value = match variable {
            Variable::Path(path) => sources.context.map(|context| (path, look_up(context, path))),
            Variable::Name(name) => sources.arguments.map(|arguments| (name, arguments.get(name))),
        };
        match value {
            None => text.push_str(written),
            Some((name, None | Some(Value::Null))) if unknown.list.len() < MOST_UNKNOWN => unknown.add(name),
            Some((_, None | Some(Value::Null))) => {}
            Some((_, Some(value))) => {
                let as_written = destination == Destination::Url && variable.may_be_origin() && in_origin(&text);
                put_value(&mut text, value, if as_written { Destination::Header } else { destination }, room);
            }
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Fills every string of a JSON value, keys too, at any depth. A plain string is a body given as
/// text: where it looks like JSON, values are escaped for [`Destination::JsonText`].
pub fn fill_value(template: &Value, sources: Sources<'_>) -> FilledValue {
    fill_value_within(template, sources, &mut Room::new(REQUEST_BYTES))
}

/// The same within the room that is left.
pub fn fill_value_within(template: &Value, sources: Sources<'_>, room: &mut Room) -> FilledValue {
    let mut unknown = Distinct::default();
    let value = match template {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            Value::String(fill_noting(text, sources, Destination::JsonText, room, &mut unknown))
        }
        other => walk(other, sources, room, &mut unknown),
    };
    FilledValue { value, unknown: unknown.list }
}

/// Appends the value of a secret, escaped as [`fill`] does it for that destination.
pub(crate) fn put(out: &mut String, value: &str, destination: Destination, room: &mut Room) {
    let as_written = destination == Destination::Url && in_origin(out);
    put_text(out, value, if as_written { Destination::Header } else { destination }, room);
}

/// The text as part of a URL's path or query.
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    percent_encode(&mut out, text);
    out
}

/// Distinct names of `#{name}`, in order.
pub fn placeholders(text: &str) -> Vec<String> {
    placeholders_of([text])
}

/// The same for several texts, of as many variables as a request may have.
pub fn placeholders_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names = Distinct::default();
    for variable in texts.into_iter().flat_map(variables).take(REQUEST_VARIABLES) {
        if let Variable::Name(name) = variable {
            names.add(name);
        }
    }
    names.list
}

/// Distinct paths of `{{path}}` in several texts, in order.
pub fn context_paths_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut paths = Distinct::default();
    for variable in texts.into_iter().flat_map(variables) {
        if let Variable::Path(path) = variable {
            paths.add(path);
        }
    }
    paths.list
}

/// Distinct names of secrets in texts, in order.
pub(super) fn secret_names_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let paths = context_paths_of(texts);
    paths.iter().filter_map(|path| path.strip_prefix("secrets.")).map(str::to_owned).collect()
}

/// Replaces every variable.
pub fn replace_all(text: &str, replacement: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, _, after)) = next(rest) {
        out.push_str(before);
        out.push_str(replacement);
        rest = after;
    }
    out + rest
}

/// True if a `#{name}` is part of the scheme, host or port of a URL.
pub(super) fn model_fills_origin(url: &str) -> bool {
    let mut before = String::new();
    let mut rest = url;
    while let Some((text, variable, after)) = next(rest) {
        before.push_str(text);
        if !in_origin(&before) {
            return false;
        }
        match variable {
            Variable::Name(_) => return true,
            // A variable that holds the whole base leaves nothing of the origin to others.
            Variable::Path(_) if before.is_empty() && !after.starts_with(':') => return false,
            Variable::Path(_) => before.push('x'),
        }
        rest = after;
    }
    false
}

/// Variables in several texts, counted up to `most`.
pub fn exceed<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> bool {
    texts.into_iter().flat_map(variables).nth(most).is_some()
}

/// True if a path can have a value: it begins with a namespace of docs/spec/engine.md 1.7.
pub fn is_known_path(path: &str) -> bool {
    let spaces = ["contact.", "execution.", "conversation.", "vars.", "secrets."];
    matches!(path, "now" | "last_user_input") || spaces.iter().any(|space| path.starts_with(space))
}

/// Calls `see` with every string of a JSON value, keys too.
pub fn each_string<'a>(value: &'a Value, see: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_string(item, see)),
        Value::Object(map) => {
            for (key, item) in map {
                see(key);
                each_string(item, see);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone, Copy)]
enum Variable<'a> {
    Path(&'a str),
    Name(&'a str),
}

impl Variable<'_> {
    fn may_be_origin(self) -> bool {
        matches!(self, Self::Path(path) if path.starts_with("vars.") || path.starts_with("secrets."))
    }
}

/// The first variable, with the text before and after it.
fn next(text: &str) -> Option<(&str, Variable<'_>, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find(['#', '{']) {
        let at = from + found;
        if let Some(inner) = text[at..].strip_prefix("#{")
            && let Some(end) = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            && let Some(after) = inner[end..].strip_prefix('}')
            && end > 0
        {
            return Some((&text[..at], Variable::Name(&inner[..end]), after));
        }
        if let Some(inner) = text[at..].strip_prefix("{{")
            && let Some(end) = inner.find(['{', '}'])
            && let Some(after) = inner[end..].strip_prefix("}}")
            && is_path(inner[..end].trim())
        {
            return Some((&text[..at], Variable::Path(inner[..end].trim()), after));
        }
        from = at + 1;
    }
    None
}

fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, variable, after) = next(rest)?;
        rest = after;
        Some(variable)
    })
}

fn is_path(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.split('.').all(word)
}

fn look_up<'a>(context: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = context;
    for part in path.split('.') {
        value = match value {
            Value::Object(map) => map.get(part)?,
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// True if text after `before` is still scheme, host or port.
fn in_origin(before: &str) -> bool {
    let ends = ['/', '?', '#'];
    if before.len() > LONGEST_ORIGIN {
        return false;
    }
    match before.split_once(ends) {
        None => true,
        Some((scheme, rest)) if scheme.ends_with(':') && before[scheme.len()..].starts_with("//") => {
            !rest[1..].contains(ends)
        }
        Some(_) => false,
    }
}

fn put_value(out: &mut String, value: &Value, destination: Destination, room: &mut Room) {
    match value {
        // Values that no longer fit are not written out.
        _ if room.is_exceeded() => {}
        Value::String(text) => put_text(out, text, destination, room),
        other => put_text(out, &other.to_string(), destination, room),
    }
}

fn put_text(out: &mut String, text: &str, destination: Destination, room: &mut Room) {
    if room.is_exceeded() {
        return;
    }
    if destination == Destination::Prompt {
        return room.push(out, text);
    }
    let (before, whole) = (out.len(), text.len());
    let text = room.fitting(text);
    match destination {
        Destination::Prompt | Destination::JsonString => out.push_str(text),
        Destination::Header => out.extend(text.chars().filter(|c| *c == '\t' || !c.is_control())),
        Destination::JsonText => {
            let quoted = Value::from(text).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
        Destination::Url => percent_encode(out, text),
    }
    // Characters that a destination leaves out have cost their time.
    room.take(whole.max(out.len() - before));
}

/// Leaves only the unreserved characters of RFC 3986.
fn percent_encode(out: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

fn walk(template: &Value, sources: Sources<'_>, room: &mut Room, unknown: &mut Distinct) -> Value {
    match template {
        Value::String(text) => Value::String(fill_noting(text, sources, Destination::JsonString, room, unknown)),
        Value::Array(items) => items.iter().map(|item| walk(item, sources, room, unknown)).collect(),
        Value::Object(map) => {
            let mut filled = Map::new();
            for (key, item) in map {
                let key = fill_noting(key, sources, Destination::JsonString, room, unknown);
                let item = walk(item, sources, room, unknown);
                filled.insert(key, item);
            }
            Value::Object(filled)
        }
        other => other.clone(),
    }
}

/// Words in the order of their first occurrence.
#[derive(Default)]
struct Distinct {
    list: Vec<String>,
    seen: HashSet<String>,
}

impl Distinct {
    fn add(&mut self, word: &str) {
        if self.seen.insert(word.to_owned()) {
            self.list.push(word.to_owned());
        }
    }
}
