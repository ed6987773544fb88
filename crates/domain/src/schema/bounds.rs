//! The size of a schema with its references expanded.

use super::patterns;
use crate::limits::{SCHEMA_BYTES, SCHEMA_DEPTH, SCHEMA_PARTS};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A schema within the limits.
#[derive(Debug)]
pub(super) struct Measured {
    /// Bytes as JSON.
    pub bytes: usize,
    /// Schemas in it, each counted once.
    pub parts: usize,
    /// Compiled bytes of each pattern, rounded up.
    pub patterns: BTreeMap<String, usize>,
}

impl Measured {
    pub(super) fn pattern_bytes(&self) -> usize {
        self.patterns.values().sum()
    }
}

pub(super) fn measure(schema: &Value) -> Result<Measured, String> {
    let mut room = SCHEMA_BYTES;
    if !fits(schema, &mut room) {
        return Err(format!("it has more than {SCHEMA_BYTES} bytes"));
    }
    let mut walk = Walk { root: schema, sizes: HashMap::new(), open: HashSet::new(), patterns: BTreeSet::new() };
    let size = walk.size(schema, 0)?;
    if size.parts > SCHEMA_PARTS {
        return Err(format!("it has more than {SCHEMA_PARTS} parts with every $ref expanded"));
    }
    let parts = walk.sizes.len();
    Ok(Measured { bytes: SCHEMA_BYTES - room, parts, patterns: patterns::measure(walk.patterns)? })
}

/// Takes the bytes of a value as JSON, about.
fn fits(value: &Value, room: &mut usize) -> bool {
    let take = |room: &mut usize, bytes: usize| match room.checked_sub(bytes) {
        Some(left) => {
            *room = left;
            true
        }
        None => false,
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => take(room, 4),
        Value::String(text) => take(room, text.len() + 3),
        Value::Array(items) => take(room, 2) && items.iter().all(|item| fits(item, room)),
        Value::Object(fields) => {
            take(room, 2) && fields.iter().all(|(name, field)| take(room, name.len() + 4) && fits(field, room))
        }
    }
}

/// Parts below a schema, itself included, and the longest way down.
#[derive(Clone, Copy)]
struct Size {
    parts: usize,
    depth: usize,
}

struct Walk<'a> {
    root: &'a Value,
    /// By address: each part is walked once.
    sizes: HashMap<*const Value, Size>,
    /// Parts that are being walked: a reference to one of them is a recursion, and counts as one
    /// part. What it costs depends on the value, and is counted there.
    open: HashSet<*const Value>,
    patterns: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn size(&mut self, schema: &'a Value, depth: usize) -> Result<Size, String> {
        let key = std::ptr::from_ref(schema);
        let Value::Object(keywords) = schema else { return Ok(Size { parts: 1, depth: 1 }) };
        if let Some(known) = self.sizes.get(&key) {
            return self.checked(*known, depth);
        }
        if !self.open.insert(key) {
            return Ok(Size { parts: 1, depth: 1 });
        }
        self.checked(Size { parts: 1, depth: 1 }, depth)?;
        let has_base =
            ["$id", "id"].iter().filter_map(|name| keywords.get(*name)?.as_str()).any(|id| !id.starts_with('#'));
        if depth > 0 && has_base {
            return Err("$id is allowed at its root only".into());
        }
        let mut size = Size { parts: 1, depth: 0 };
        for (keyword, value) in keywords {
            match keyword.as_str() {
                "$dynamicRef" | "$recursiveRef" => return Err(format!("{keyword} is not supported")),
                "pattern" => self.patterns.extend(value.as_str().map(str::to_owned)),
                "patternProperties" => {
                    self.patterns.extend(value.as_object().into_iter().flat_map(Map::keys).cloned());
                }
                // Nothing is checked against these unless they are referred to. All patterns are compiled.
                "contentSchema" => {
                    self.size(value, depth + 1)?;
                }
                "$defs" | "definitions" => {
                    for part in value.as_object().into_iter().flat_map(Map::values) {
                        self.size(part, depth + 1)?;
                    }
                }
                _ => {}
            }
            for below in parts_of(self.root, keyword, value)? {
                let below = self.size(below, depth + 1)?;
                size.parts = size.parts.saturating_add(below.parts);
                size.depth = size.depth.max(below.depth);
            }
        }
        size.depth += 1;
        self.open.remove(&key);
        self.sizes.insert(key, size);
        Ok(size)
    }

    fn checked(&self, size: Size, depth: usize) -> Result<Size, String> {
        if depth + size.depth > SCHEMA_DEPTH {
            return Err(format!("it is deeper than {SCHEMA_DEPTH} parts with every $ref expanded"));
        }
        Ok(size)
    }
}

/// The schemas directly in a keyword, with the target of a reference.
pub(super) fn parts_of<'a>(root: &'a Value, keyword: &str, value: &'a Value) -> Result<Vec<&'a Value>, String> {
    Ok(match keyword {
        "$ref" => match value.as_str() {
            Some(reference) => vec![target(root, reference)?],
            // A property may have this name.
            None => Vec::new(),
        },
        "not"
        | "if"
        | "then"
        | "else"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "propertyNames"
        | "additionalItems"
        | "unevaluatedItems"
        | "contains" => vec![value],
        "items" | "prefixItems" | "allOf" | "anyOf" | "oneOf" => match value {
            Value::Array(schemas) => schemas.iter().collect(),
            one => vec![one],
        },
        "properties" | "patternProperties" | "dependentSchemas" | "dependencies" => {
            value.as_object().into_iter().flat_map(Map::values).filter(|part| !part.is_array()).collect()
        }
        _ => Vec::new(),
    })
}

/// The part of the same schema that a reference names.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Result<&'a Value, String> {
    let unknown = || format!("$ref must be # or #/… to a part of the same schema, not {}", cut(reference));
    let pointer = reference.strip_prefix('#').ok_or_else(unknown)?;
    let pointer = percent_decoded(pointer).ok_or_else(unknown)?;
    root.pointer(&pointer).ok_or_else(unknown)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
