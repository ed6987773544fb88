//! What the person wants now: the meaning of the texts not answered yet.
//!
//! More careful than a bare look at words: a matter that is refused ("I don't need a person") is no wish, and "a person"
//! is a wish for a human only next to words such as "talk to", not in "a table for one person".

use super::concepts::Concept;
use super::lexicon::{Hit, Meaning, Words, hits, meaning, words};

/// The person's unanswered texts, understood.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// As written.
    pub(super) text: String,
    meaning: Meaning,
    words: Words,
    last_closing: Option<usize>,
}

impl Wish {
    pub(super) fn read(text: String) -> Self {
        let words = words(&text);
        let found: Vec<Hit> = hits(&words);
        // "Are you a person?" is a question about us, no wish for one.
        let identity = found.iter().any(|hit| hit.concept == Concept::Identity);
        let human = !identity && wants_human(&words, &found);
        let kept: Vec<Hit> = found
            .iter()
            .copied()
            .filter(|hit| !matches!(hit.concept, Concept::Human | Concept::Somebody))
            .filter(|hit| !is_topic(hit.concept) || !is_refused(&words, hit))
            .collect();
        let last_closing = kept
            .iter()
            .filter(|hit| matches!(hit.concept, Concept::Bye | Concept::Done))
            .map(|hit| hit.start + hit.length)
            .max();
        let mut meaning = meaning(&words, &kept);
        if human {
            meaning.add(Concept::Human);
        }
        Self { text, meaning, words, last_closing }
    }

    pub(super) fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    pub(super) fn has(&self, concept: Concept) -> bool {
        self.meaning.has(concept)
    }

    /// Says goodbye or that nothing more is wanted. A question after it ("bye – oh, where is my order?") outweighs it.
    pub(super) fn closes(&self) -> bool {
        let Some(end) = self.last_closing else { return false };
        if !self.meaning.has_topic() {
            return true;
        }
        !self.text.contains('?') && self.words.list.len() <= 12 && end == self.words.list.len()
    }

    /// Nothing but thanks.
    pub(super) fn only_thanks(&self) -> bool {
        self.has(Concept::Thanks) && self.meaning.only_manners() && !self.has(Concept::Greeting)
    }

    /// A bare "no".
    pub(super) fn only_no(&self) -> bool {
        self.has(Concept::No) && self.meaning.only_manners() && self.words.list.len() <= 3
    }

    /// A bare "yes", "ok" or the like.
    pub(super) fn only_assent(&self) -> bool {
        (self.has(Concept::Yes) || self.has(Concept::Fine))
            && self.meaning.only_manners()
            && !self.has(Concept::Greeting)
            && !self.has(Concept::Other)
            && self.words.list.len() <= 5
    }

    /// Nothing but a greeting.
    pub(super) fn only_greeting(&self) -> bool {
        self.has(Concept::Greeting) && self.meaning.only_manners() && !self.has(Concept::Other)
    }

    /// Signs such as a thumb or a waving hand, without a word.
    pub(super) fn no_words(&self) -> bool {
        self.words.list.is_empty()
    }
}

fn is_topic(concept: Concept) -> bool {
    concept.bit() & Concept::topics() != 0
}

fn wants_human(words: &Words, hits: &[Hit]) -> bool {
    let talks =
        |clause: usize| hits.iter().any(|hit| hit.concept == Concept::Talk && words.clause[hit.start] == clause);
    hits.iter().any(|hit| {
        let clause = words.clause[hit.start];
        match hit.concept {
            Concept::Human => !is_refused(words, hit),
            Concept::Somebody => {
                let asked = talks(clause)
                    || (words.list.iter().any(|word| is_want(word)) && !stands_for_a_number(words, hit))
                    || words.list.len() <= 3;
                asked && !is_refused(words, hit)
            }
            _ => false,
        }
    })
}

/// "For one person", "para una persona".
fn stands_for_a_number(words: &Words, hit: &Hit) -> bool {
    hit.start >= 2
        && matches!(words.list[hit.start - 2].as_str(), "for" | "para" | "pra")
        && matches!(words.list[hit.start - 1].as_str(), "one" | "a" | "una" | "uma" | "1")
}

/// Whether the words before a hit, in its clause, turn it down: "I don't want to talk to a person".
fn is_refused(words: &Words, hit: &Hit) -> bool {
    let clause = words.clause[hit.start];
    let word = |index: usize| words.list[index].as_str();
    let mut wanted = false;
    for index in (0..hit.start).rev().take(7) {
        if words.clause[index] != clause || matches!(word(index), "but" | "pero" | "mas" | "sino" | "porem") {
            return false;
        }
        if is_want(word(index)) {
            let before = index.checked_sub(1).map_or("", word);
            let second = index.checked_sub(2).map_or("", word);
            let said_by_me = matches!(before, "i" | "yo" | "eu" | "would" | "to");
            if !is_negation(before) && (said_by_me || !is_negation(second)) && before != "to" {
                return false;
            }
            wanted = true;
        }
        if is_negation(word(index)) {
            let missing = index > 0 && matches!(word(index - 1), "there" | "hay" | "ha" | "tem" | "si");
            let close = hit.start - index <= 2 && matches!(hit.concept, Concept::Human | Concept::Somebody);
            return wanted || (close && !missing);
        }
    }
    false
}

fn is_want(word: &str) -> bool {
    const WANTS: &[&str] = &[
        "want", "wanna", "need", "like", "wish", "require", "quiero", "quiera", "quisiera", "necesito", "deseo",
        "quero", "queria", "preciso", "desejo", "gostaria", "talk", "speak", "hablar", "falar", "falta", "please",
        "favor",
    ];
    WANTS.contains(&word)
}

fn is_negation(word: &str) -> bool {
    const NEGATIONS: &[&str] = &[
        "not", "no", "dont", "doesnt", "didnt", "wouldnt", "never", "without", "nor", "sin", "nunca", "jamas", "nao",
        "sem", "nem",
    ];
    NEGATIONS.contains(&word)
}
