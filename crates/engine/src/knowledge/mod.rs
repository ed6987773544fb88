//! Finds passages in a builder's text (docs/spec/engine.md 4.2) for `kb_retrieval`.
//! Pure, but slow: building an [`Index`] of 5 MiB takes a good part of a second. So a search is an
//! effect, and the worker caches indexes by [`Knowledge::digest`] and [`CHUNKER`].

mod chunk;
mod words;

use self::words::Words;
use crate::tokens;
use domain::agent::KnowledgeBase;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, HashSet},
    mem,
    ops::Range,
    sync::{Arc, OnceLock},
};

/// Raised whenever the same text would be cut or indexed in another way.
pub const CHUNKER: u32 = 1;

/// A text of at most this many tokens is returned whole.
const WHOLE: u32 = 6_000;
/// Passages for one query.
const PER_QUERY: usize = 3;
/// Passages and tokens of one search.
const PASSAGES: usize = 8;
const TOKENS: u32 = 8_000;

/// A knowledge base of a node. A compiled agent holds the text here only.
#[derive(Debug)]
pub struct Knowledge {
    /// The key that the model uses.
    pub key: String,
    pub text: Arc<str>,
    digest: OnceLock<[u8; 32]>,
}

impl Knowledge {
    pub fn new(key: &str, text: impl Into<Arc<str>>) -> Self {
        Self { key: key.trim().to_owned(), text: text.into(), digest: OnceLock::new() }
    }

    /// Takes the text out of a node's settings.
    pub(crate) fn take(base: &mut KnowledgeBase) -> Self {
        Self::new(&base.key, mem::take(&mut base.text))
    }

    /// SHA-256 of the text, computed on first use.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(self.text.as_bytes()).into())
    }
}

/// A searchable text.
#[derive(Debug)]
pub struct Index {
    text: Arc<str>,
    /// Empty for a text that is returned whole.
    chunks: Vec<Range<usize>>,
    words: Words,
}

impl Index {
    pub fn build(text: &Arc<str>) -> Self {
        let chunks = if tokens::of_text(text) <= WHOLE { Vec::new() } else { chunk::chunks(text) };
        let words = Words::of(chunks.iter().map(|chunk| &text[chunk.clone()]));
        Self { text: text.clone(), chunks, words }
    }

    /// Memory in use, the text included.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.chunks.len() * size_of::<Range<usize>>() + self.words.bytes()
    }

    /// The passages that match the queries, best first, without duplicates.
    pub fn search(&self, queries: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        let mut known = HashSet::new();
        let mut room = TOKENS;
        if self.chunks.is_empty() {
            found.extend(Some(shown(&self.text)).filter(|text| !text.is_empty()));
            return found;
        }
        for place in self.ranked(queries) {
            let passage = shown(&self.text[self.chunks[place].clone()]);
            if passage.is_empty() || !known.insert(passage.clone()) {
                continue;
            }
            let size = tokens::of_text(&passage);
            if found.len() == PASSAGES || size > room {
                break;
            }
            room -= size;
            found.push(passage);
        }
        found
    }

    /// Merges the best chunks of all queries into one list. Scores of different queries cannot be
    /// compared, ranks can. With five queries of three chunks each, none of the best ones is
    /// missing from the first eight.
    fn ranked(&self, queries: &[String]) -> Vec<usize> {
        let lists: Vec<Vec<usize>> = queries.iter().map(|query| self.words.best(query, PER_QUERY)).collect();
        let mut worth: HashMap<usize, f64> = HashMap::new();
        let mut order = Vec::new();
        for rank in 0..PER_QUERY {
            for place in lists.iter().filter_map(|list| list.get(rank)) {
                let sum = worth.entry(*place).or_insert_with(|| {
                    order.push(*place);
                    0.0
                });
                *sum += 1.0 / f64::from(u32::try_from(rank + 1).unwrap_or(u32::MAX));
            }
        }
        // A stable sort: among equals the first one found wins.
        order.sort_by(|one, other| worth[other].total_cmp(&worth[one]));
        order
    }
}

/// A passage for the model, without control characters: they mean nothing there and cost six
/// characters each in JSON.
fn shown(text: &str) -> String {
    let kept = text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
    kept.collect::<String>().trim().to_owned()
}
