//! Finding passages in a text that a builder gave (engine.md 4.2): what `kb_retrieval` answers with.
//!
//! Pure and without a network, but not quick: making an [`Index`] of 5 MiB takes a good part of a second. So no step searches;
//! it asks for an effect, and whoever carries that out keeps indexes by [`Knowledge::digest`] and [`CHUNKER`].

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

/// Changes whenever the same text would be cut or read in another way.
pub const CHUNKER: u32 = 1;

/// A text of at most so many tokens is given whole.
const WHOLE: u32 = 6_000;
/// Passages that one query brings.
const PER_QUERY: usize = 3;
/// Passages that one search brings, and their tokens.
const PASSAGES: usize = 8;
const TOKENS: u32 = 8_000;

/// A knowledge base of a node. The text is here and nowhere else in a compiled agent.
#[derive(Debug)]
pub struct Knowledge {
    /// What the model calls it by.
    pub key: String,
    /// What is searched.
    pub text: Arc<str>,
    digest: OnceLock<[u8; 32]>,
}

impl Knowledge {
    /// A text and what it is called by.
    pub fn new(key: &str, text: impl Into<Arc<str>>) -> Self {
        Self { key: key.trim().to_owned(), text: text.into(), digest: OnceLock::new() }
    }

    /// Takes the text out of a node's settings.
    pub(crate) fn take(base: &mut KnowledgeBase) -> Self {
        Self::new(&base.key, mem::take(&mut base.text))
    }

    /// SHA-256 of the text, taken when it is first asked for.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(self.text.as_bytes()).into())
    }
}

/// A text that can be searched.
#[derive(Debug)]
pub struct Index {
    text: Arc<str>,
    /// None for a text that is given whole.
    chunks: Vec<Range<usize>>,
    words: Words,
}

impl Index {
    /// Reads the whole text.
    pub fn build(text: &Arc<str>) -> Self {
        let chunks = if tokens::of_text(text) <= WHOLE { Vec::new() } else { chunk::chunks(text) };
        let words = Words::of(chunks.iter().map(|chunk| &text[chunk.clone()]));
        Self { text: text.clone(), chunks, words }
    }

    /// Memory that it takes, the text included.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.chunks.len() * size_of::<Range<usize>>() + self.words.bytes()
    }

    /// The passages that fit the queries, the best first, none twice.
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

    /// The best chunks of each query as one list: scores of different queries cannot be compared, places in their lists can. With five
    /// queries of three chunks each, none of the best ones is left out of eight.
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
        // Stable: of equals the one that was found first.
        order.sort_by(|one, other| worth[other].total_cmp(&worth[one]));
        order
    }
}

/// A passage as it goes to the model: without control characters, which mean nothing there and cost six letters each in JSON.
fn shown(text: &str) -> String {
    let kept = text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
    kept.collect::<String>().trim().to_owned()
}
