//! Words and what they are about, across three languages.
//!
//! A text becomes a [`Meaning`]: the concepts it touches (from the table in `concepts.rs`) and the stems of its other
//! words. Two texts are compared by what they share, so an agent written in English is understood by a person who
//! writes Spanish as long as the table knows the matter; in one language plain words do the rest.

use std::collections::BTreeSet;

use super::concepts::{Concept, STOP_WORDS, TABLE};

/// Words of a text, folded, each with the number of the clause it stands in.
#[derive(Debug, Default, Clone)]
pub(super) struct Words {
    pub(super) list: Vec<String>,
    pub(super) clause: Vec<usize>,
}

/// What a text is about.
#[derive(Debug, Default, Clone)]
pub(super) struct Meaning {
    concepts: u64,
    stems: BTreeSet<String>,
}

/// A place in [`Words`] where a concept was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) concept: Concept,
    pub(super) start: usize,
    pub(super) length: usize,
}

impl Meaning {
    pub(super) fn has(&self, concept: Concept) -> bool {
        self.concepts & concept.bit() != 0
    }

    pub(super) fn add(&mut self, concept: Concept) {
        self.concepts |= concept.bit();
    }

    /// Whether it touches any matter one could help with, not only manners such as a greeting.
    pub(super) fn has_topic(&self) -> bool {
        self.concepts & Concept::topics() != 0
    }

    /// Whether nothing at all was understood.
    pub(super) fn is_empty(&self) -> bool {
        self.concepts == 0 && self.stems.is_empty()
    }

    /// Whether manners are all there is: no topic and no word outside the table.
    pub(super) fn only_manners(&self) -> bool {
        !self.has_topic() && self.stems.is_empty()
    }

    /// Whether something is to be done (a refund, a change, the price) that no option of these covers.
    pub(super) fn exceeds(&self, options: &[&Self]) -> bool {
        let mut doing =
            Concept::all_topics().filter(|concept| concept.weight() > Concept::THING && self.has(*concept)).peekable();
        doing.peek().is_some() && doing.all(|concept| options.iter().all(|option| !option.has(concept)))
    }

    /// How well an option (a condition, a tool) fits this wish; 0 when nothing is shared.
    pub(super) fn fit(&self, option: &Self) -> i32 {
        let mut score = 0;
        for concept in Concept::all_topics() {
            match (self.has(concept), option.has(concept)) {
                (true, true) => score += concept.weight(),
                // "Cancel an appointment" is a worse answer to "an appointment, please" than "book an appointment".
                (false, true) if concept.weight() > Concept::THING => score -= 1,
                _ => {}
            }
        }
        let shared = self.stems.intersection(&option.stems).take(3).count();
        score += 2 * i32::try_from(shared).unwrap_or(3);
        score.max(0)
    }
}

/// The meaning of a text that describes an option. Its subject ("the person asks …") is not what it is about.
pub(super) fn meaning_of_option(text: &str) -> Meaning {
    let mut words = words(text);
    drop_subjects(&mut words);
    let mut meaning = meaning(&words, &hits(&words));
    if meaning.has(Concept::Somebody) {
        meaning.add(Concept::Human);
    }
    meaning
}

/// Concepts of the hits and stems of all words outside of them.
pub(super) fn meaning(words: &Words, hits: &[Hit]) -> Meaning {
    let mut meaning = Meaning::default();
    let mut covered = vec![false; words.list.len()];
    for hit in hits {
        meaning.add(hit.concept);
        covered[hit.start..hit.start + hit.length].fill(true);
    }
    for (word, covered) in words.list.iter().zip(covered) {
        let digits = word.chars().any(|character| character.is_ascii_digit());
        if !covered && !digits && word.chars().count() > 2 && !is_stop_word(word) {
            meaning.stems.insert(stem(word).to_owned());
        }
    }
    meaning
}

/// Every place where an entry of the table stands.
pub(super) fn hits(words: &Words) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (concept, entries) in TABLE {
        for entry in entries.split('|') {
            let length = entry.split(' ').count();
            for start in 0..words.list.len() {
                let Some(window) = words.list.get(start..start + length) else { break };
                if entry.split(' ').zip(window).all(|(pattern, word)| matches(pattern, word)) {
                    hits.push(Hit { concept: *concept, start, length });
                }
            }
        }
    }
    hits
}

fn matches(pattern: &str, word: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => pattern == word,
    }
}

/// Removes "the person", "el cliente" and the like: they say who, not what.
fn drop_subjects(words: &mut Words) {
    const ARTICLES: &[&str] = &["the", "la", "el", "a", "o", "this", "este", "esta"];
    const ENGLISH: &[&str] = &["person", "user", "customer", "client", "contact", "agent", "patient"];
    const OTHERS: &[&str] = &["persona", "cliente", "usuario", "contacto", "agente", "paciente", "pessoa", "contato"];
    let mut kept = Words::default();
    let mut index = 0;
    while index < words.list.len() {
        let word = words.list[index].as_str();
        let next = words.list.get(index + 1).map_or("", String::as_str);
        // "a person" is somebody to talk to, "a pessoa" is the one who writes.
        let subject = ARTICLES.contains(&word) && (OTHERS.contains(&next) || (word != "a" && ENGLISH.contains(&next)));
        if subject {
            index += 2;
            continue;
        }
        kept.list.push(words.list[index].clone());
        kept.clause.push(words.clause[index]);
        index += 1;
    }
    *words = kept;
}

/// Splits a text into folded words. Apostrophes vanish (`don't` is `dont`), names such as `order_status` fall apart.
pub(super) fn words(text: &str) -> Words {
    let mut words = Words::default();
    let (mut word, mut clause, mut lower_before) = (String::new(), 0, false);
    for character in text.chars() {
        if character.is_alphanumeric() {
            // `orderStatus` is two words, `DHL` is one.
            if character.is_uppercase() && lower_before {
                words.push(&mut word, clause);
            }
            lower_before = character.is_lowercase();
            word.push(character);
            continue;
        }
        lower_before = false;
        if matches!(character, '\'' | '’' | '´' | '`') && !word.is_empty() {
            continue;
        }
        words.push(&mut word, clause);
        if matches!(character, ',' | '.' | ';' | ':' | '!' | '?' | '¿' | '¡' | '\n' | '(' | ')' | '…' | '—' | '–')
        {
            clause += 1;
        }
    }
    words.push(&mut word, clause);
    words
}

impl Words {
    fn push(&mut self, word: &mut String, clause: usize) {
        if !word.is_empty() {
            self.list.push(fold(word));
            self.clause.push(clause);
            word.clear();
        }
    }
}

/// Lower case without accents, so that `Está` and `esta` are one word.
pub(super) fn fold(text: &str) -> String {
    let plain = |character: char| match character {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.split_whitespace().any(|stop| stop == word)
}

/// Cuts common endings; never below four letters. Not grammar: only meant to make forms of one word equal.
pub(super) fn stem(word: &str) -> &str {
    const ENDINGS: &[&str] = &[
        "aciones", "acion", "acoes", "acao", "ciones", "cion", "coes", "cao", "mente", "iendo", "ando", "endo", "ings",
        "ing", "ados", "adas", "idos", "idas", "ado", "ada", "ido", "ida", "ed", "es", "ar", "er", "ir", "os", "as",
        "s", "o", "a", "e",
    ];
    for ending in ENDINGS {
        if let Some(rest) = word.strip_suffix(ending)
            && rest.chars().count() >= 4
        {
            return rest;
        }
    }
    word
}
