//! The wish of the contact: the meaning of the texts that are not answered yet.
//!
//! A matter that is turned down ("I don't need a person") is no wish, and "a person" is a wish for
//! one only next to words such as "talk to".

use crate::concepts::Concept;
use crate::meaning::{Hit, Meaning, hits};
use crate::text::{Words, is_in, words};

const WANTS: &str = "want wanna need like quiero quisiera necesito deseo quero queria preciso desejo gostaria";
const NEGATIONS: &str = "not no dont doesnt didnt never nunca jamas nao";

#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) text: String,
    pub(crate) meaning: Meaning,
    words: usize,
    ends_with_closing: bool,
}

impl Wish {
    pub(crate) fn read(text: String) -> Self {
        let words = words(&text);
        let mut found = hits(&words);
        // "Are you a person?" is a question about us, no wish for one.
        let identity = found.iter().any(|hit| hit.concept == Concept::Identity);
        let wants_person = !identity && found.iter().any(|hit| wants_person(&words, &found, hit));
        found.retain(|hit| {
            let person = matches!(hit.concept, Concept::Staff | Concept::Person | Concept::Subject);
            let refused_topic = matches!(hit.concept, Concept::Topic { .. }) && is_refused(&words, hit);
            !(person || refused_topic)
        });
        let ends_with_closing = found.last().is_some_and(|hit| matches!(hit.concept, Concept::Bye | Concept::Done));
        if wants_person {
            found.push(Hit { concept: Concept::Staff, start: 0, end: 0 });
        }
        Self { meaning: Meaning::of(&words, &found), words: words.list.len(), text, ends_with_closing }
    }

    pub(crate) fn has(&self, concept: Concept) -> bool {
        self.meaning.has(concept)
    }

    /// Says goodbye, or that nothing more is wanted. A matter after it ("bye – oh, where is my
    /// order?") outweighs it.
    pub(crate) fn closes(&self) -> bool {
        let is_closing = self.has(Concept::Bye) || self.has(Concept::Done);
        is_closing && (!self.meaning.has_topic() || (self.ends_with_closing && !self.text.contains('?')))
    }

    pub(crate) fn is_only_thanks(&self) -> bool {
        self.has(Concept::Thanks) && self.meaning.is_only_manners() && !self.has(Concept::Greeting)
    }

    /// A bare "no".
    pub(crate) fn is_only_no(&self) -> bool {
        self.has(Concept::No) && self.meaning.is_only_manners() && self.words <= 3
    }

    /// A bare "yes" or "ok".
    pub(crate) fn is_only_yes(&self) -> bool {
        self.has(Concept::Yes) && self.meaning.is_only_manners() && !self.has(Concept::Greeting) && self.words <= 5
    }

    pub(crate) fn is_only_greeting(&self) -> bool {
        self.has(Concept::Greeting) && self.meaning.is_only_manners() && !self.has(Concept::Other)
    }

    /// True for a thumb or a waving hand.
    pub(crate) fn has_no_words(&self) -> bool {
        self.words == 0
    }
}

fn wants_person(words: &Words, hits: &[Hit], hit: &Hit) -> bool {
    let asked = match hit.concept {
        Concept::Staff => true,
        Concept::Person => {
            let talks = hits
                .iter()
                .any(|other| other.concept == Concept::Talk && words.clause[other.start] == words.clause[hit.start]);
            let wanted = words.list[hit.start.saturating_sub(2)..hit.start].iter().any(|word| is_in(WANTS, word));
            // "Hello agent" is a greeting; a bare "agent" is a wish.
            let greets = hits.iter().any(|other| other.concept == Concept::Greeting);
            talks || wanted || (words.list.len() <= 3 && !greets)
        }
        _ => false,
    };
    asked && !is_refused(words, hit)
}

/// True if the last word of wanting before a hit, in its clause, is turned down: "no quiero hablar
/// con una persona".
fn is_refused(words: &Words, hit: &Hit) -> bool {
    let same_clause = |index: &usize| words.clause[*index] == words.clause[hit.start];
    let mut wants = (0..hit.start).rev().take_while(same_clause).filter(|index| is_in(WANTS, &words.list[*index]));
    wants.next().is_some_and(|index| index > 0 && is_in(NEGATIONS, &words.list[index - 1]))
}
