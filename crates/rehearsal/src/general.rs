//! What the agent's general instructions say about whom one has reached.
//!
//! Only two things are read, for the greeting: a proper name and what the chat helps with. Instructions are addressed to
//! a model, so nothing of them is repeated unless it fits a fixed form.

use super::conversation::head;
use super::language::{Language, of_text};

/// What can be told to a person in a greeting.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct General<'a> {
    /// "Clínica Boa Vista".
    pub(super) place: Option<String>,
    /// What follows "This chat helps": in the person's language only.
    pub(super) purpose: Option<&'a str>,
}

impl<'a> General<'a> {
    pub(super) fn read(system: &'a str, language: Language) -> Self {
        let Some(first) = first_sentence(system) else { return Self::default() };
        let purpose = (of_text(first) == Some(language)).then(|| purpose(first, language)).flatten();
        Self { place: place(first), purpose }
    }
}

/// The first sentence between the tags.
fn first_sentence(system: &str) -> Option<&str> {
    let (_, rest) = system.split_once("<general_instructions>")?;
    let rest = head(rest, 1_000);
    let inside = rest.split_once("</general_instructions>").map_or(rest, |(inside, _)| inside).trim();
    let end = inside
        .char_indices()
        .find(|(at, character)| match character {
            '\n' | '!' | '?' => true,
            // The dot of "No. 5" or "v2.1" ends nothing.
            '.' => inside[at + 1..].chars().next().is_none_or(char::is_whitespace),
            _ => false,
        })
        .map_or(inside.len(), |(at, _)| at);
    let sentence = inside[..end].trim();
    (!sentence.is_empty()).then_some(sentence)
}

/// The first run of capitalised words after the beginning, such as the name of a shop.
fn place(sentence: &str) -> Option<String> {
    const NOT_A_PLACE: &[&str] =
        &["WhatsApp", "AI", "IA", "I", "You", "Eres", "Você", "English", "Spanish", "Portuguese", "Tu", "Your", "The"];
    let mut run: Vec<&str> = Vec::new();
    for word in sentence.split_whitespace().skip(1) {
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric() && character != '&');
        let named = bare.starts_with(char::is_uppercase) && !NOT_A_PLACE.contains(&bare);
        let inside = !run.is_empty() && (matches!(bare, "de" | "del" | "da" | "do" | "of" | "&" | "y" | "e"));
        if named || inside {
            run.push(bare);
        } else if !run.is_empty() {
            break;
        }
        if named && word.ends_with([',', ':', ';', ')', '"', '”', '»']) {
            break;
        }
    }
    while run.last().is_some_and(|word| !word.starts_with(char::is_uppercase)) {
        run.pop();
    }
    (!run.is_empty() && run.len() <= 6).then(|| run.join(" "))
}

/// What stands after "helps", "ayuda" or "ajuda".
fn purpose(sentence: &str, language: Language) -> Option<&str> {
    let verbs = language.pick([" helps ", " help "], [" ayuda ", " ayudas "], [" ajuda ", " ajudar "]);
    let (at, verb) = verbs.into_iter().find_map(|verb| sentence.find(verb).map(|at| (at, verb)))?;
    let rest = sentence[at + verb.len()..].trim().trim_end_matches([',', ';', ':']);
    (rest.chars().count() <= 120 && rest.contains(' ')).then_some(rest)
}
