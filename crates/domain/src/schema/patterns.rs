//! The compiled size of regular expressions. `(a{1000}){1000}` has 15 bytes and a million states.

use crate::limits::{SCHEMA_PATTERN_BYTES, SCHEMA_PATTERNS};
use jsonschema::{PatternOptions, Regex};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Sizes that a pattern is rounded up to.
const SIZES: [usize; 7] = [4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, LARGEST];
pub(super) const LARGEST: usize = 1 << 20;
/// Memory for matching, of each pattern and thread.
const MATCHING: usize = 256 << 10;

/// Patterns that match in linear time, compiled to at most `bytes`.
pub(super) fn options(bytes: usize) -> PatternOptions<Regex> {
    PatternOptions::regex().size_limit(bytes).dfa_size_limit(MATCHING)
}

/// The size of each pattern. All together have at most `SCHEMA_PATTERN_BYTES`.
pub(super) fn measure(patterns: BTreeSet<String>) -> Result<BTreeMap<String, usize>, String> {
    let mut sizes = BTreeMap::new();
    let mut room = SCHEMA_PATTERN_BYTES;
    for pattern in patterns {
        if sizes.len() >= SCHEMA_PATTERNS {
            return Err(format!("it has more than {SCHEMA_PATTERNS} patterns"));
        }
        let fits = |bytes: &&usize| {
            let options = jsonschema::options().offline().with_pattern_options(options(**bytes));
            options.build(&json!({"pattern": pattern})).is_ok()
        };
        let size = SIZES.iter().filter(|size| **size <= room).find(fits);
        let Some(size) = size else {
            let shown: String = pattern.chars().take(64).collect();
            return Err(format!("its pattern {shown} is no regular expression of limited size, without lookaround"));
        };
        room -= size;
        sizes.insert(pattern, *size);
    }
    Ok(sizes)
}
