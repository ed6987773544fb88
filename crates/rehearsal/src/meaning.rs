//! Compares texts by what they are about.
//!
//! A [`Meaning`] is the set of concepts that a text touches and the stems of its other words.
//! Concepts match across languages; within one language, stems cover the matters that the table
//! does not cover.

use std::collections::BTreeSet;

use crate::concepts::{Concept, DEED, STOP_WORDS};
use crate::text::{Words, is_in, stem, words};

#[derive(Debug, Default)]
pub(crate) struct Meaning {
    concepts: BTreeSet<Concept>,
    stems: BTreeSet<String>,
}

/// A place in [`Words`] where a concept was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) concept: Concept,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Meaning {
    /// Concepts of the hits and stems of all words outside of them.
    pub(crate) fn of(words: &Words, hits: &[Hit]) -> Self {
        let covered = |index: usize| hits.iter().any(|hit| (hit.start..hit.end).contains(&index));
        let says_something = |word: &str| {
            word.chars().count() > 2 && !word.contains(|c: char| c.is_ascii_digit()) && !is_in(STOP_WORDS, word)
        };
        let others = words.list.iter().enumerate().filter(|(index, word)| !covered(*index) && says_something(word));
        let stems = others.map(|(_, word)| stem(word).to_owned()).collect();
        Self { concepts: hits.iter().map(|hit| hit.concept).collect(), stems }
    }

    /// The meaning of a condition or a tool.
    pub(crate) fn of_option(text: &str) -> Self {
        let words = words(text);
        let mut hits = hits(&words);
        // "The person" is the subject of a condition, not a request for a person.
        let subjects: Vec<usize> =
            hits.iter().filter(|hit| hit.concept == Concept::Subject).map(|hit| hit.end).collect();
        hits.retain(|hit| hit.concept != Concept::Person || !subjects.contains(&hit.end));
        let mut meaning = Self::of(&words, &hits);
        if meaning.has(Concept::Person) {
            meaning.concepts.insert(Concept::Staff);
        }
        meaning
    }

    pub(crate) fn has(&self, concept: Concept) -> bool {
        self.concepts.contains(&concept)
    }

    /// True if it touches a matter to help with, not only manners such as a greeting.
    pub(crate) fn has_topic(&self) -> bool {
        self.concepts.iter().any(|concept| matches!(concept, Concept::Topic { .. }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.concepts.is_empty() && self.stems.is_empty()
    }

    /// True if there is no topic and no word outside the table.
    pub(crate) fn is_only_manners(&self) -> bool {
        !self.has_topic() && self.stems.is_empty()
    }

    /// True if something is to be done that the option does not cover: a refund, a change, the
    /// price.
    pub(crate) fn exceeds(&self, option: &Self) -> bool {
        let mut deeds = self.concepts.iter().filter(|concept| concept.weight() >= DEED).peekable();
        deeds.peek().is_some() && deeds.all(|deed| !option.has(*deed))
    }

    /// The fit of an option to this wish; 0 where nothing is shared.
    pub(crate) fn fit(&self, option: &Self) -> i32 {
        let shared: i32 = self.concepts.intersection(&option.concepts).map(|concept| concept.weight()).sum();
        // "Cancel an appointment" is a worse answer to "an appointment, please" than "book an
        // appointment".
        let unwanted = option.concepts.difference(&self.concepts).filter(|concept| concept.weight() >= DEED).count();
        let stems = self.stems.intersection(&option.stems).count().min(3);
        (shared - i32::try_from(unwanted).unwrap_or(i32::MAX) + 2 * i32::try_from(stems).unwrap_or(3)).max(0)
    }
}

/// Every place where an entry of the table stands.
pub(crate) fn hits(words: &Words) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (concept, entries) in Concept::all() {
        for entry in entries.split('|') {
            let length = entry.split(' ').count();
            for (start, window) in words.list.windows(length).enumerate() {
                if entry.split(' ').zip(window).all(|(pattern, word)| matches(pattern, word)) {
                    hits.push(Hit { concept, start, end: start + length });
                }
            }
        }
    }
    hits.sort_by_key(|hit| hit.end);
    hits
}

fn matches(pattern: &str, word: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == word, |beginning| word.starts_with(beginning))
}
