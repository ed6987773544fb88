//! Reads JSON objects field by field and remembers the place of each field.
//! Reading never stops at the first problem: a wrong field is reported at its place in the request
//! and counts as absent. The meaning of fields is not known here.

use super::codes;
use super::nearest::nearest;
use crate::Problem;
use crate::json::values_in;
use crate::limits::GRAPH_VALUES;
use crate::nesting::{self, DEEPEST};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Problems that get a "did you mean": a response shows no more than 50.
const SUGGESTIONS: usize = 50;

/// Problems found so far.
#[derive(Default)]
pub(super) struct Findings {
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// Skip costly checks: the graph was checked before it was stored.
    pub trusting: bool,
    /// Compiled bytes of the patterns of the schemas so far. A schema that cannot be used counts as the most that one
    /// may have.
    pub pattern_bytes: usize,
    /// JSON values in texts so far: the limit of a body counts a text as one value.
    pub values: usize,
}

impl Findings {
    pub fn error(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.errors.push(Problem::new(path, code, message));
    }

    pub fn warn(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.warnings.push(Problem::new(path, code, message));
    }

    /// Reports a word that is none of `known`, with the nearest of them.
    pub fn unknown<'a>(
        &mut self,
        path: &str,
        code: &'static str,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let near = if self.errors.len() < SUGGESTIONS { nearest(word, known) } else { None };
        let hint = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        self.error(path, code, format!("no {what} '{}'{hint}", short(word)));
    }
}

/// A word of the client, cut to fit in a message.
pub(super) fn short(word: &str) -> String {
    match word.char_indices().nth(64) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// The unread fields of one JSON object.
#[derive(Default)]
pub(super) struct Fields {
    at: String,
    map: Map<String, Value>,
    moved: HashMap<String, String>,
}

/// A value as it was given: directly, or as text that holds JSON.
pub(super) struct Given {
    pub value: Value,
    /// The text, if it came as text.
    pub raw: Option<String>,
    /// The text does not hold JSON; `value` is the text.
    pub plain: bool,
    pub at: String,
}

impl Fields {
    /// Opens an object. Fields in `known` may also be written in camelCase.
    pub fn open(value: Value, at: &str, known: &[&str], found: &mut Findings) -> Option<Self> {
        let Value::Object(map) = value else {
            found.error(at, codes::WRONG_TYPE, format!("must be an object, not {}", type_of(&value)));
            return None;
        };
        let mut fields = Self { at: at.to_owned(), map, moved: HashMap::new() };
        let camel: Vec<String> =
            fields.map.keys().filter(|key| key.contains(|c: char| c.is_ascii_uppercase())).cloned().collect();
        for key in camel {
            let snake = snake_case(&key);
            if known.contains(&snake.as_str()) {
                fields.rename(&key, &snake);
            }
        }
        Some(fields)
    }

    /// The place of a field in the request, also of one that is absent.
    pub fn place(&self, key: &str) -> String {
        self.moved.get(key).cloned().unwrap_or_else(|| format!("{}/{}", self.at, escape(key)))
    }

    pub fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    pub fn peek(&self, key: &str) -> Option<&Value> {
        self.map.get(key)
    }

    /// Renames the field `alias` to `key`, unless `key` exists.
    pub fn rename(&mut self, alias: &str, key: &str) {
        if !self.has(key) && self.has(alias) {
            self.moved.insert(key.to_owned(), self.place(alias));
            if let Some(value) = self.map.shift_remove(alias) {
                self.map.insert(key.to_owned(), value);
            }
        }
    }

    /// Moves a field in from another object, unless it exists.
    pub fn adopt(&mut self, other: &mut Self, alias: &str, key: &str) {
        if !self.has(key) && other.has(alias) {
            self.moved.insert(key.to_owned(), other.place(alias));
            if let Some(value) = other.map.shift_remove(alias) {
                self.map.insert(key.to_owned(), value);
            }
        }
    }

    /// Takes a field's value; null is absent.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    pub fn text(&mut self, key: &str, found: &mut Findings) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => self.wrong(key, "a string", &other, found),
        }
    }

    /// Takes a string that must not be blank; empty if it is.
    pub fn required(&mut self, key: &str, found: &mut Findings) -> String {
        let before = found.errors.len();
        let text = self.text(key, found).unwrap_or_default();
        if text.trim().is_empty() && found.errors.len() == before {
            found.error(self.place(key), codes::MISSING_FIELD, format!("{key} is required"));
        }
        text
    }

    pub fn flag(&mut self, key: &str, found: &mut Findings) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            other => self.wrong(key, "true or false", &other, found),
        }
    }

    pub fn whole(&mut self, key: &str, least: u32, most: u32, found: &mut Findings) -> Option<u32> {
        let value = self.take(key)?;
        if !value.is_number() || value.as_f64().is_some_and(|number| number.fract() != 0.0) {
            return self.wrong(key, "a whole number", &value, found);
        }
        let number = value.as_f64().unwrap_or(-1.0);
        if number < f64::from(least) || number > f64::from(most) {
            found.error(self.place(key), codes::OUT_OF_RANGE, format!("{key} must be {least} to {most}"));
            return None;
        }
        value.as_u64().and_then(|number| u32::try_from(number).ok()).or(Some(number as u32))
    }

    pub fn object(&mut self, key: &str, found: &mut Findings) -> Option<Map<String, Value>> {
        match self.take(key)? {
            Value::Object(map) => Some(map),
            other => self.wrong(key, "an object", &other, found),
        }
    }

    pub fn list(&mut self, key: &str, found: &mut Findings) -> Vec<Value> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => self.wrong(key, "a list", &other, found).unwrap_or_default(),
        }
    }

    /// Takes a field that may be text holding JSON. Its `*_raw` twin, the text as written, wins.
    pub fn given(&mut self, key: &str, raw_key: Option<&str>, found: &mut Findings) -> Option<Given> {
        let twin = raw_key.and_then(|key| Some((self.text(key, found)?, self.place(key))));
        let direct = self.take(key).map(|value| (value, self.place(key)));
        let (value, at) = match (twin, direct) {
            (Some((text, at)), _) if !text.trim().is_empty() => (Value::String(text), at),
            (_, direct) => direct?,
        };
        let Value::String(text) = value else { return Some(Given { value, raw: None, plain: false, at }) };
        let (value, plain) = match decode(&text, found) {
            Decoded::Value(value) => (value, false),
            Decoded::Plain => (Value::String(text.clone()), true),
            Decoded::TooLarge => {
                let message = format!("the texts with JSON of a graph have at most {GRAPH_VALUES} values together");
                found.error(at, codes::GRAPH_TOO_LARGE, message);
                return None;
            }
        };
        if nesting::exceeds(&value, DEEPEST) {
            found.error(at, codes::TOO_DEEP, format!("{key} is nested deeper than {DEEPEST} levels"));
            return None;
        }
        Some(Given { value, raw: Some(text), plain, at })
    }

    /// Takes an object that may be given as text; empty text is absent.
    pub fn given_object(
        &mut self,
        key: &str,
        raw_key: Option<&str>,
        found: &mut Findings,
    ) -> Option<(Map<String, Value>, Given)> {
        let mut given = self.given(key, raw_key, found)?;
        match std::mem::take(&mut given.value) {
            Value::Object(map) => return Some((map, given)),
            Value::Null => {}
            Value::String(text) if text.trim().is_empty() => {}
            _ if given.plain => {
                found.error(given.at, codes::BAD_JSON, format!("{key} is a string that does not hold JSON"))
            }
            other => {
                found.error(given.at, codes::WRONG_TYPE, format!("{key} must be an object, not {}", type_of(&other)))
            }
        }
        None
    }

    /// The unknown fields, which are kept.
    pub fn rest(self) -> Map<String, Value> {
        self.map
    }

    fn wrong<T>(&self, key: &str, wanted: &str, value: &Value, found: &mut Findings) -> Option<T> {
        found.error(self.place(key), codes::WRONG_TYPE, format!("{key} must be {wanted}, not {}", type_of(value)));
        None
    }
}

enum Decoded {
    Value(Value),
    /// The text holds no JSON.
    Plain,
    /// The texts of the graph hold more than `GRAPH_VALUES` values.
    TooLarge,
}

/// Decodes text that holds JSON until the value is no longer such a text. Counts the values before
/// they take memory.
fn decode(text: &str, found: &mut Findings) -> Decoded {
    let mut text = text.to_owned();
    let mut decoded = Decoded::Plain;
    while serde_json::from_str::<IgnoredAny>(&text).is_ok() {
        found.values += values_in(text.as_bytes());
        if !found.trusting && found.values > GRAPH_VALUES {
            return Decoded::TooLarge;
        }
        match serde_json::from_str(&text) {
            Ok(Value::String(inner)) => {
                decoded = Decoded::Value(Value::String(inner.clone()));
                text = inner;
            }
            Ok(value) => return Decoded::Value(value),
            // Deeper than a value may be.
            Err(_) => break,
        }
    }
    decoded
}

/// Takes a list; each item comes with its place.
pub(super) fn each(fields: &mut Fields, key: &str, found: &mut Findings) -> Vec<(Value, String)> {
    let at = fields.place(key);
    fields.list(key, found).into_iter().enumerate().map(|(index, value)| (value, format!("{at}/{index}"))).collect()
}

pub(super) fn put(out: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.insert(key.to_owned(), value.into());
    }
}

/// A key as a part of a JSON pointer.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
