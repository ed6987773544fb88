//! Strict JSON (docs/spec/reliability.md 11): no duplicate keys, no NUL, and limits on depth and on
//! the size of objects and arrays. Input takes bounded memory and has one meaning.
//!
//! The parser itself refuses lone surrogates and NaN.

use crate::ApiError;
use domain::json::values_in;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::Cell, fmt};

/// Limits of one document.
const DEPTH: usize = 32;
const KEYS: usize = 1_000;
const ITEMS: usize = 10_000;

/// Parses one JSON document of at most `values` values.
pub(crate) fn parse(bytes: &[u8], values: usize) -> Result<Value, ApiError> {
    if values_in(bytes) > values {
        return Err(ApiError::JsonLimits("the body has too many values"));
    }
    let over = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { depth: 0, over: &over }.deserialize(&mut reader);
    let value = read.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match over.get() {
        Some(limit) => ApiError::JsonLimits(limit),
        None => ApiError::Malformed(format!("the body is not JSON: {error}")),
    })
}

/// Reads one value at its depth; stores in `over` which limit was exceeded.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    over: &'a Cell<Option<&'static str>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, limit: &'static str) -> E {
        self.over.set(Some(limit));
        E::custom(limit)
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(self.refuse("the body is nested deeper than 32 levels"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        if text.contains('\0') {
            return Err(E::custom("a text holds NUL"));
        }
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            if list.len() == ITEMS {
                return Err(self.refuse("a list has more than 10,000 items"));
            }
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.len() == KEYS {
                return Err(self.refuse("an object has more than 1,000 keys"));
            }
            if key.contains('\0') {
                return Err(A::Error::custom("a key holds NUL"));
            }
            if object.contains_key(&key) {
                return Err(A::Error::custom("an object has a key twice"));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::limits::BODY_VALUES;
    use serde_json::json;

    fn code(text: &str) -> &'static str {
        match parse(text.as_bytes(), BODY_VALUES) {
            Ok(_) => "read",
            Err(ApiError::JsonLimits(_)) => "json_limits",
            Err(ApiError::Malformed(_)) => "malformed",
            Err(_) => "other",
        }
    }

    #[test]
    fn json_values_round_trip_unchanged() {
        let text = r#"{"b": [true, null, -1, 18446744073709551615, 0.1, "é\n"], "a": {}}"#;
        let value = parse(text.as_bytes(), BODY_VALUES).unwrap();
        assert_eq!(value, json!({"b": [true, null, -1, 18_446_744_073_709_551_615_u64, 0.1, "é\n"], "a": {}}));
        assert_eq!(value.as_object().unwrap().keys().next().unwrap(), "b", "the order of keys stays");
    }

    #[test]
    fn depth_key_and_item_limits_are_inclusive() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let keys = |count: usize| {
            format!("{{{}}}", (0..count).map(|key| format!("\"k{key}\":0")).collect::<Vec<_>>().join(","))
        };
        let items = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!((code(&nested(32)), code(&nested(33))), ("read", "json_limits"));
        assert_eq!((code(&keys(1_000)), code(&keys(1_001))), ("read", "json_limits"));
        assert_eq!((code(&items(10_000)), code(&items(10_001))), ("read", "json_limits"));
        assert_eq!(code(&"[".repeat(1_000_000)), "json_limits", "the stack is safe");
    }

    #[test]
    fn body_of_too_many_values_is_refused() {
        let lists = |count: usize| format!("[{}[]]", format!("[{}[]],", "[],".repeat(1_000)).repeat(count));
        assert_eq!(code(&lists(40)), "read");
        assert_eq!(code(&lists(60)), "json_limits");
    }

    #[test]
    fn ambiguous_json_is_refused() {
        for text in
            [r#"{"a":1,"a":2}"#, r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#, r#""\ud800""#, "NaN", "1e999", "{} {}", ""]
        {
            assert_eq!(code(text), "malformed", "{text}");
        }
    }
}
