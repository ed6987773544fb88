//! Recipes: JSON that describes a large input in a few bytes, so that the corpus stays readable and
//! a mutation changes an amount as easily as a word.
//!
//! | Recipe | Input |
//! | --- | --- |
//! | `[{"$times": 3, "of": X}]` | a list of three X, `$i` in its texts replaced by 0, 1, 2 |
//! | `{"$text": ["a", {"$times": 2, "of": "b"}]}` | the text `abb` |
//! | `{"$fields": 3, "name": "k$i", "of": X}` | an object with three fields; other fields stay |
//! | `{"$nest": 3, "in": "list", "of": X}` | X inside of three lists; else in fields of that name |
//! | `{"$json": X}` | the JSON of X as a text |

use serde_json::{Map, Value};

/// The keys that make an object a recipe.
pub const AMOUNTS: [&str; 3] = ["$times", "$fields", "$nest"];

/// Makes the input of a recipe; `None` if it has more than `most` bytes, about.
pub fn expand(recipe: &Value, most: usize) -> Option<Value> {
    Expansion { left: most }.value(recipe, 0)
}

struct Expansion {
    left: usize,
}

/// Levels of nesting that any reader accepts or refuses without an overflow of the stack.
const DEEPEST: usize = 200;

impl Expansion {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }

    fn value(&mut self, recipe: &Value, index: usize) -> Option<Value> {
        match recipe {
            Value::String(text) => {
                self.take(3)?;
                self.text(text, index).map(Value::String)
            }
            Value::Array(items) => self.list(items, index),
            Value::Object(fields) => self.object(fields, index),
            other => {
                self.take(4)?;
                Some(other.clone())
            }
        }
    }

    fn text(&mut self, text: &str, index: usize) -> Option<String> {
        let text = if text.contains("$i") { text.replace("$i", &index.to_string()) } else { text.to_owned() };
        self.take(text.len())?;
        Some(text)
    }

    fn list(&mut self, items: &[Value], index: usize) -> Option<Value> {
        let mut list = Vec::new();
        for item in items {
            match repeated(item, "$times") {
                Some((times, of)) => {
                    for index in 0..times {
                        list.push(self.value(of, index)?);
                    }
                }
                None => list.push(self.value(item, index)?),
            }
        }
        self.take(2)?;
        Some(Value::Array(list))
    }

    fn object(&mut self, fields: &Map<String, Value>, index: usize) -> Option<Value> {
        if let Some(parts) = fields.get("$text") {
            let mut text = String::new();
            self.joined(parts, index, &mut text)?;
            return Some(Value::String(text));
        }
        if let Some(inner) = fields.get("$json") {
            let text = self.value(inner, index)?.to_string();
            self.take(text.len() / 4)?;
            return Some(Value::String(text));
        }
        let inner = Value::Object(fields.clone());
        if let Some((times, of)) = repeated(&inner, "$nest") {
            let name = fields.get("in").and_then(Value::as_str).unwrap_or("list");
            let mut value = self.value(of, index)?;
            for _ in 0..times.min(DEEPEST) {
                self.take(name.len() + 4)?;
                value = match name {
                    "list" => Value::Array(vec![value]),
                    name => Value::Object(Map::from_iter([(name.to_owned(), value)])),
                };
            }
            return Some(value);
        }
        let mut object = Map::new();
        if let Some((times, of)) = repeated(&inner, "$fields") {
            let name = fields.get("name").and_then(Value::as_str).unwrap_or("k$i");
            for index in 0..times {
                object.insert(self.text(name, index)?, self.value(of, index)?);
            }
            return Some(Value::Object(object));
        }
        if let Some((1.., of)) = repeated(&inner, "$times") {
            return self.value(of, index);
        }
        for (name, field) in fields {
            object.insert(self.text(name, index)?, self.value(field, index)?);
        }
        self.take(2)?;
        Some(Value::Object(object))
    }

    /// Appends a text, a list of parts, or one of them many times.
    fn joined(&mut self, part: &Value, index: usize, text: &mut String) -> Option<()> {
        match part {
            Value::Array(parts) => parts.iter().try_for_each(|part| self.joined(part, index, text)),
            part => match repeated(part, "$times") {
                Some((times, of)) => (0..times).try_for_each(|index| {
                    self.take(1)?;
                    self.joined(of, index, text)
                }),
                None => {
                    match part {
                        Value::String(more) => text.push_str(&self.text(more, index)?),
                        other => match self.value(other, index)? {
                            Value::String(more) => text.push_str(&more),
                            other => text.push_str(&other.to_string()),
                        },
                    }
                    Some(())
                }
            },
        }
    }
}

fn repeated<'a>(recipe: &'a Value, key: &str) -> Option<(usize, &'a Value)> {
    let times = usize::try_from(recipe.get(key)?.as_u64()?).ok()?;
    Some((times, recipe.get("of")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn recipes_become_inputs() {
        for (recipe, input) in [
            (json!([1, {"$times": 3, "of": "a$i"}]), json!([1, "a0", "a1", "a2"])),
            (json!({"$text": ["a", {"$times": 2, "of": ["b", "$i"]}]}), json!("ab0b1")),
            (
                json!({"$fields": 2, "name": "k$i", "of": [{"$times": 1, "of": "$i"}]}),
                json!({"k0": ["0"], "k1": ["0"]}),
            ),
            (json!({"$nest": 2, "in": "list", "of": 1}), json!([[1]])),
            (json!({"$nest": 2, "in": "c", "of": {}}), json!({"c": {"c": {}}})),
            (json!({"x": {"$json": ["a"]}}), json!({"x": "[\"a\"]"})),
        ] {
            assert_eq!(expand(&recipe, 1_000), Some(input), "{recipe}");
        }
    }

    #[test]
    fn input_beyond_its_limit_is_not_made() {
        assert_eq!(expand(&json!([{"$times": 1_000_000_000, "of": "x"}]), 1_000), None);
        assert_eq!(expand(&json!({"$text": [{"$times": 1_000_000_000, "of": []}]}), 1_000), None);
    }
}
