//! Changes a recipe at random places.

use crate::{chance::Chance, recipe::AMOUNTS};
use serde_json::{Map, Value, json};

/// Changes a recipe once to four times. `donor` is another recipe of the kind, `words` are texts
/// that matter to it.
pub fn mutate(recipe: &Value, donor: &Value, words: &[&str], chance: &mut Chance) -> Value {
    let mut changed = recipe.clone();
    for _ in 0..=chance.below(4) {
        let place = chance.below(size(&changed));
        let mut change = Change { donor, words, chance };
        visit(&mut changed, &mut { place }, &mut |value| change.at(value));
    }
    changed
}

/// Values in a recipe.
pub fn size(recipe: &Value) -> usize {
    match recipe {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// Calls `change` with the value at a place, counted in depth-first order. True once it was found.
pub fn visit(value: &mut Value, place: &mut usize, change: &mut impl FnMut(&mut Value)) -> bool {
    if *place == 0 {
        change(value);
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| visit(item, place, change)),
        Value::Object(fields) => fields.values_mut().any(|field| visit(field, place, change)),
        _ => false,
    }
}

struct Change<'a> {
    donor: &'a Value,
    words: &'a [&'a str],
    chance: &'a mut Chance,
}

impl Change<'_> {
    fn at(&mut self, value: &mut Value) {
        match value {
            _ if self.chance.below(8) == 0 => *value = self.anything(value),
            Value::Number(number) => {
                let number = number.as_u64().unwrap_or_default();
                *value = self.amount(number).into();
            }
            Value::String(text) => {
                let text = std::mem::take(text);
                *value = self.text(text);
            }
            Value::Array(items) => self.list(items),
            Value::Object(fields) => self.object(fields),
            Value::Bool(_) | Value::Null => *value = self.word(),
        }
    }

    fn amount(&mut self, number: u64) -> u64 {
        match self.chance.below(7) {
            0 => number / 2,
            1 => number.saturating_sub(1),
            2 => number + 1,
            3 => number.saturating_mul(10).min(10_000_000),
            4 => 1 << self.chance.below(18),
            _ => number.saturating_mul(2).min(10_000_000),
        }
    }

    fn word(&mut self) -> Value {
        self.chance.pick(self.words).map_or(Value::Null, |word| (*word).into())
    }

    fn text(&mut self, text: String) -> Value {
        let place = text.floor_char_boundary(self.chance.below(text.len() + 1));
        let word = self.chance.pick(self.words).copied().unwrap_or_default();
        match self.chance.below(6) {
            0 => text[..place].into(),
            1 => word.into(),
            2 => [&text, text.as_str()].concat().into(),
            3 => json!({"$text": [{"$times": 1 << self.chance.below(12), "of": text}]}),
            _ => [&text[..place], word, &text[place..]].concat().into(),
        }
    }

    fn list(&mut self, items: &mut Vec<Value>) {
        let place = self.chance.below(items.len());
        match (self.chance.below(5), items.get(place).cloned()) {
            (0, Some(_)) => drop(items.remove(place)),
            (1, Some(item)) => items.push(item),
            (2 | 3, Some(item)) if item.get("$times").is_none() => {
                items[place] = json!({"$times": 1 << self.chance.below(12), "of": item});
            }
            _ => {
                let added = self.part_of_donor();
                items.push(added);
            }
        }
    }

    fn object(&mut self, fields: &mut Map<String, Value>) {
        if let Some(key) = AMOUNTS.into_iter().find(|key| fields.contains_key(*key)) {
            let amount = fields.get(key).and_then(Value::as_u64).unwrap_or(1);
            fields.insert(key.to_owned(), self.amount(amount).into());
            return;
        }
        let keys: Vec<String> = fields.keys().cloned().collect();
        let key = self.chance.pick(&keys).cloned();
        match (self.chance.below(4), key) {
            (0, Some(key)) => drop(fields.shift_remove(&key)),
            (1, Some(key)) => {
                let other = self.chance.pick(&keys).and_then(|other| fields.get(other)).cloned();
                fields.insert(key, other.unwrap_or_default());
            }
            (2, Some(key)) => {
                let value = self.part_of_donor();
                fields.insert(key, value);
            }
            _ => {
                let (name, value) = (self.chance.pick(self.words).copied().unwrap_or_default(), self.part_of_donor());
                fields.insert(name.to_owned(), value);
            }
        }
    }

    fn anything(&mut self, old: &Value) -> Value {
        match self.chance.below(5) {
            0 => json!({"$nest": 1 << self.chance.below(6), "in": "list", "of": old}),
            1 => json!({"$fields": 1 << self.chance.below(12), "name": "k$i", "of": old}),
            2 => json!([{"$times": 1 << self.chance.below(12), "of": old}]),
            3 => self.word(),
            _ => self.part_of_donor(),
        }
    }

    fn part_of_donor(&mut self) -> Value {
        let mut donor = self.donor.clone();
        let mut part = Value::Null;
        visit(&mut donor, &mut self.chance.below(size(self.donor)), &mut |value| part = value.take());
        part
    }
}
