//! A cache with a limit in bytes; the least recently used entries make room.

use std::{collections::HashMap, hash::Hash};

/// Bytes that an entry needs in addition to its value.
const ENTRY: usize = 256;

pub(crate) struct ByteCache<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
    max_bytes: usize,
    /// Counts uses: the greatest number is the latest use.
    uses: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    last_use: u64,
}

impl<K: Hash + Eq + Clone, V> ByteCache<K, V> {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { entries: HashMap::new(), bytes: 0, max_bytes, uses: 0 }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        entry.last_use = self.uses;
        Some(&entry.value)
    }

    /// Keeps a value of `bytes`. One that is larger than the whole cache is not kept.
    pub(crate) fn put(&mut self, key: K, value: V, bytes: usize) {
        self.uses += 1;
        self.remove(&key);
        let bytes = bytes + ENTRY;
        if bytes > self.max_bytes {
            return;
        }
        self.bytes += bytes;
        self.entries.insert(key, Entry { value, bytes, last_use: self.uses });
        while self.bytes > self.max_bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &K) {
        if let Some(gone) = self.entries.remove(key) {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_recently_used_entries_make_room_and_no_larger_one_is_kept() {
        let mut cache = ByteCache::new(3 * (1_000 + ENTRY));
        for key in ["a", "b", "c", "a", "d", "e"] {
            if cache.get(&key).is_none() {
                cache.put(key, (), 1_000);
            }
            assert!(cache.bytes <= cache.max_bytes);
        }
        let kept = ["a", "b", "c", "d", "e"].map(|key| cache.get(&key).is_some());
        assert_eq!(kept, [true, false, false, true, true]);
        cache.put("f", (), 10_000);
        assert!(cache.get(&"f").is_none());
        cache.put("a", (), 500);
        assert_eq!(cache.bytes, cache.entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
}
