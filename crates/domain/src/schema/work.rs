//! An upper bound of the work of checking a value, counted by walking schema and value together.
//! Every branch is counted as taken; the validator takes fewer.

use super::bounds;
use crate::limits::{SCHEMA_DEPTH, SCHEMA_WORK};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Bytes of a compiled pattern that one unit pays for, for each byte of text: states of 32 bytes,
/// ten of them in the time of a keyword.
const PATTERN_BYTES: usize = 320;
/// Levels of schemas and values together: the validator recurses.
const DEEPEST: usize = 4 * SCHEMA_DEPTH;

pub(super) struct Work<'a> {
    root: &'a Value,
    patterns: &'a BTreeMap<String, usize>,
    left: usize,
}

/// The work exceeds the limit.
struct TooLarge;

type Counted = Result<(), TooLarge>;

impl<'a> Work<'a> {
    /// Units of work; `None` if they are more than `SCHEMA_WORK`.
    pub(super) fn of(root: &'a Value, patterns: &'a BTreeMap<String, usize>, value: &Value) -> Option<usize> {
        let mut work = Self { root, patterns, left: SCHEMA_WORK };
        work.check(root, value, 0).ok()?;
        Some(SCHEMA_WORK - work.left)
    }

    fn take(&mut self, units: usize) -> Counted {
        self.left = self.left.checked_sub(units).ok_or(TooLarge)?;
        Ok(())
    }

    fn check(&mut self, schema: &Value, value: &Value, depth: usize) -> Counted {
        if depth > DEEPEST {
            return Err(TooLarge);
        }
        self.take(1)?;
        let Value::Object(keywords) = schema else { return Ok(()) };
        // They ask all keywords at the same place again.
        let again = keywords.contains_key("unevaluatedProperties") || keywords.contains_key("unevaluatedItems");
        for _ in 0..=usize::from(again) {
            for (keyword, argument) in keywords {
                self.take(1)?;
                self.keyword(keyword, argument, value, depth + 1)?;
            }
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, argument: &Value, value: &Value, depth: usize) -> Counted {
        match (keyword, value) {
            ("properties", Value::Object(fields)) => self.properties(argument, fields, depth),
            ("patternProperties", Value::Object(fields)) => {
                for (pattern, schema) in argument.as_object().into_iter().flatten() {
                    for (name, field) in fields {
                        // additionalProperties matches them again.
                        self.pattern(pattern, 2 * name.len())?;
                        self.check(schema, field, depth)?;
                    }
                }
                Ok(())
            }
            ("additionalProperties" | "unevaluatedProperties", Value::Object(fields)) => {
                fields.values().try_for_each(|field| self.check(argument, field, depth))
            }
            ("propertyNames", Value::Object(fields)) => {
                fields.keys().try_for_each(|name| self.check(argument, &Value::String(name.clone()), depth))
            }
            (
                "properties" | "patternProperties" | "additionalProperties" | "unevaluatedProperties" | "propertyNames",
                _,
            ) => Ok(()),
            ("items" | "prefixItems", Value::Array(items)) => match argument {
                Value::Array(schemas) => {
                    schemas.iter().zip(items).try_for_each(|(schema, item)| self.check(schema, item, depth))
                }
                schema => items.iter().try_for_each(|item| self.check(schema, item, depth)),
            },
            ("additionalItems" | "unevaluatedItems" | "contains", Value::Array(items)) => {
                items.iter().try_for_each(|item| self.check(argument, item, depth))
            }
            ("items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "contains", _) => Ok(()),
            ("pattern", Value::String(text)) => self.pattern(argument.as_str().unwrap_or_default(), text.len()),
            ("minLength" | "maxLength" | "format" | "contentEncoding" | "contentMediaType", Value::String(text)) => {
                self.take(text.len())
            }
            ("required" | "dependentRequired" | "type", _) => self.take(nodes(argument)),
            ("enum" | "const", Value::Array(_) | Value::Object(_)) => self.take(nodes(argument)),
            ("enum", _) => self.take(argument.as_array().map_or(1, Vec::len)),
            ("uniqueItems", Value::Array(_)) => self.take(16 * nodes(value)),
            _ => {
                // allOf, not, $ref and others that check the same value.
                for part in bounds::parts_of(self.root, keyword, argument).map_err(|_| TooLarge)? {
                    self.check(part, value, depth)?;
                }
                Ok(())
            }
        }
    }

    fn properties(&mut self, argument: &Value, fields: &Map<String, Value>, depth: usize) -> Counted {
        let Some(schemas) = argument.as_object() else { return Ok(()) };
        self.take(schemas.len().min(fields.len()))?;
        // The smaller one is walked.
        if fields.len() < schemas.len() {
            for (name, field) in fields {
                schemas.get(name).map_or(Ok(()), |schema| self.check(schema, field, depth))?;
            }
        } else {
            for (name, schema) in schemas {
                fields.get(name).map_or(Ok(()), |field| self.check(schema, field, depth))?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &str, bytes: usize) -> Counted {
        let compiled = self.patterns.get(pattern).copied().unwrap_or_default();
        self.take(bytes.saturating_mul(1 + compiled / PATTERN_BYTES))
    }
}

/// Values in a value, itself included, and a share for long texts.
fn nodes(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(nodes).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 16,
        _ => 1,
    }
}
