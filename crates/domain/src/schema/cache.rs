//! Compiled schemas by their bytes. Agents and servers share few of them; compiling one takes
//! milliseconds, and looking one up takes a microsecond.

use super::check::Schema;
use crate::limits::{SCHEMA_BYTES, SCHEMA_CACHE};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

type Compiled = Result<Arc<Schema>, String>;

#[derive(Default)]
struct Cache {
    entries: HashMap<String, Entry>,
    bytes: usize,
    /// Counts uses: the greatest number is the latest.
    uses: u64,
}

struct Entry {
    compiled: Compiled,
    bytes: usize,
    last_use: u64,
}

/// The compiled schema, or the reason why it cannot be used, for the person who wrote it. The first
/// use compiles it, which may take long.
pub fn compiled(schema: &Value) -> Compiled {
    let text = schema.to_string();
    if let Some(found) = with(|cache| cache.get(&text)) {
        return found;
    }
    let compiled = Schema::compile(schema).map(Arc::new);
    if text.len() <= 2 * SCHEMA_BYTES {
        let bytes = 256 + text.len() + compiled.as_ref().map_or_else(String::len, |schema| schema.bytes());
        with(|cache| cache.put(text, Entry { compiled: compiled.clone(), bytes, last_use: 0 }, SCHEMA_CACHE));
    }
    compiled
}

fn with<T>(work: impl FnOnce(&mut Cache) -> T) -> T {
    work(CACHE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

impl Cache {
    fn get(&mut self, text: &str) -> Option<Compiled> {
        self.uses += 1;
        let entry = self.entries.get_mut(text)?;
        entry.last_use = self.uses;
        Some(entry.compiled.clone())
    }

    /// Keeps an entry; the least recently used ones make room.
    fn put(&mut self, text: String, entry: Entry, most: usize) {
        self.uses += 1;
        self.bytes += entry.bytes;
        if let Some(same) = self.entries.insert(text, Entry { last_use: self.uses, ..entry }) {
            self.bytes -= same.bytes;
        }
        while self.bytes > most {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            let Some(oldest) = oldest.map(|(text, _)| text.clone()) else { return };
            if let Some(gone) = self.entries.remove(&oldest) {
                self.bytes -= gone.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_recently_used_schema_is_dropped() {
        let mut cache = Cache::default();
        let entry = || Entry { compiled: Err("x".into()), bytes: 100, last_use: 0 };
        for text in ["a", "b", "a", "c"] {
            if cache.get(text).is_none() {
                cache.put(text.into(), entry(), 250);
            }
        }
        assert!(cache.get("a").is_some() && cache.get("b").is_none() && cache.get("c").is_some());
        assert_eq!(cache.bytes, 200);
    }

    #[test]
    fn equal_schemas_are_compiled_once() {
        let schema = serde_json::json!({"type": "object", "title": "equal_schemas_are_compiled_once"});
        let (one, other) = (compiled(&schema).unwrap(), compiled(&schema.clone()).unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }
}
