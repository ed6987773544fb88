//! Normal form of a schema: references, `allOf` and nullability are resolved, so that equivalent
//! spellings compare equal.

use super::operations::followed;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Keywords that limit a value.
pub const BOUNDS: [&str; 8] =
    ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default"];

#[derive(Clone, Default)]
pub struct Shape {
    /// Empty means any type.
    pub types: BTreeSet<String>,
    pub properties: BTreeMap<String, Value>,
    pub required: BTreeSet<String>,
    pub words: Option<BTreeSet<String>>,
    pub format: Option<String>,
    pub bounds: BTreeMap<&'static str, Value>,
    pub items: Option<Value>,
    pub values: Option<Value>,
    /// Alternatives of `oneOf` and `anyOf`.
    pub variants: Vec<Value>,
}

impl Shape {
    pub fn of(document: &Value, schema: &Value) -> Self {
        let mut shape = Self::default();
        if schema.get("$ref").is_some() {
            shape = Self::of(document, followed(document, schema));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            shape.join(Self::of(document, part));
        }
        shape.join(Self::own(schema));
        let variants = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).cloned().unwrap_or_default();
        let (nulls, variants): (Vec<Value>, Vec<Value>) =
            variants.into_iter().partition(|variant| variant["type"] == "null");
        match variants.as_slice() {
            [] => {}
            [one] => shape.join(Self::of(document, one)),
            many => shape.variants = many.to_vec(),
        }
        if !nulls.is_empty() {
            shape.types.insert("null".into());
        }
        shape
    }

    fn own(schema: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(text).collect::<BTreeSet<_>>();
        let object = |key: &str| schema.get(key).filter(|value| value.is_object()).cloned();
        let words = match schema.get("const") {
            Some(word) => Some(texts(&json!([word]))),
            None => schema.get("enum").map(texts),
        };
        Self {
            types: match &schema["type"] {
                Value::String(one) => BTreeSet::from([one.clone()]),
                many => texts(many),
            },
            properties: schema["properties"].as_object().cloned().unwrap_or_default().into_iter().collect(),
            required: texts(&schema["required"]),
            words,
            format: text(&schema["format"]),
            bounds: BOUNDS.into_iter().filter_map(|key| Some((key, schema.get(key)?.clone()))).collect(),
            items: object("items"),
            values: object("additionalProperties"),
            variants: Vec::new(),
        }
    }

    /// Merges the constraints of both.
    fn join(&mut self, other: Self) {
        self.types.extend(other.types);
        self.properties.extend(other.properties);
        self.required.extend(other.required);
        self.bounds.extend(other.bounds);
        self.words = other.words.or(self.words.take());
        self.format = other.format.or(self.format.take());
        self.items = other.items.or(self.items.take());
        self.values = other.values.or(self.values.take());
        self.variants.extend(other.variants);
    }

    /// Union of all variants, for comparison with a schema that does not separate them.
    pub fn merged(mut self, document: &Value) -> Self {
        let variants: Vec<Self> =
            self.variants.drain(..).map(|variant| Self::of(document, &variant).merged(document)).collect();
        let Some(first) = variants.first() else { return self };
        let required = first.required.clone();
        let required =
            variants.iter().fold(required, |all, variant| all.intersection(&variant.required).cloned().collect());
        for variant in variants {
            for (name, property) in variant.properties {
                let before = self.properties.remove(&name);
                let both = before.map_or_else(|| property.clone(), |before| either(before, property.clone()));
                self.properties.insert(name, both);
            }
            self.types.extend(variant.types);
        }
        self.required.extend(required);
        self
    }
}

/// Union of both enumerations; without two enumerations, any value.
fn either(one: Value, other: Value) -> Value {
    match (one["enum"].as_array(), other["enum"].as_array()) {
        _ if one == other => one,
        (Some(words), Some(more)) => {
            let words = [words.as_slice(), more.as_slice()].concat();
            json!({"type": "string", "enum": words})
        }
        _ => json!({"anyOf": [one, other]}),
    }
}
