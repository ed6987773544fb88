//! Settings of a HandoffNode: what the contact is sent. Unknown fields are kept for editors.

use crate::agent::{
    codes,
    read::{Fields, Findings, escape, put},
};
use serde_json::{Map, Value};

/// Characters: Meta's limit of a text.
const LONGEST: usize = 4_096;
const MOST_LANGUAGES: usize = 50;

/// A node that gives the conversation to people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Handoff {
    /// Sentence for the contact; none is sent without it.
    pub message: Option<String>,
    /// Sentences by language, such as `es` or `pt-BR`; `message` serves the others.
    pub messages: Map<String, Value>,
    /// Unknown fields.
    pub extra: Map<String, Value>,
}

impl Handoff {
    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        let mut fields = Fields::open(value, at, &["message", "messages"], found)?;
        let (message_at, messages_at) = (fields.place("message"), fields.place("messages"));
        let message = fields.text("message", found);
        let messages = fields.object("messages", found).unwrap_or_default();
        check(message.as_deref(), &message_at, found);
        if messages.len() > MOST_LANGUAGES {
            found.error(&messages_at, codes::OUT_OF_RANGE, format!("messages has at most {MOST_LANGUAGES} languages"));
        }
        for (language, text) in &messages {
            let at = format!("{messages_at}/{}", escape(language));
            match text.as_str() {
                Some(text) => check(Some(text), &at, found),
                None => found.error(at, codes::WRONG_TYPE, "a sentence must be a string"),
            }
        }
        Some(Self { message, messages, extra: fields.rest() })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "message", self.message.as_deref());
        if !self.messages.is_empty() {
            out.insert("messages".into(), self.messages.clone().into());
        }
        out.extend(self.extra.clone());
        out.into()
    }

    /// The sentence in a language, which may name a region that the settings do not (`pt_BR`), else
    /// `message`.
    pub fn message_in(&self, language: Option<&str>) -> Option<&str> {
        let wanted = language.map(|language| language.trim().replace('_', "-").to_lowercase());
        let of = |wanted: &str| {
            let named = |(name, _): &(&String, &Value)| name.replace('_', "-").to_lowercase() == wanted;
            self.messages.iter().find(named).and_then(|(_, text)| text.as_str())
        };
        let general = |wanted: &str| wanted.split('-').next().and_then(of);
        wanted.as_deref().and_then(|wanted| of(wanted).or_else(|| general(wanted))).or(self.message.as_deref())
    }
}

fn check(text: Option<&str>, at: &str, found: &mut Findings) {
    if text.is_some_and(|text| text.chars().count() > LONGEST) {
        found.error(at, codes::OUT_OF_RANGE, format!("a sentence has at most {LONGEST} characters"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sentence_follows_the_language_of_the_contact() {
        let messages = json!({"es": "Un momento.", "pt-BR": "Um momento."});
        let settings = json!({"message": "One moment.", "messages": messages, "color": "red"});
        let handoff = Handoff::read(settings.clone(), "/handoff", &mut Findings::default()).unwrap();
        assert_eq!(handoff.to_json(), settings);
        for (language, sentence) in [
            (Some("es"), "Un momento."),
            (Some("es_MX"), "Un momento."),
            (Some("PT_br"), "Um momento."),
            (Some("de"), "One moment."),
            (None, "One moment."),
        ] {
            assert_eq!(handoff.message_in(language), Some(sentence), "{language:?}");
        }
        assert_eq!(Handoff::default().message_in(Some("es")), None);
    }

    #[test]
    fn sentences_that_cannot_be_sent_are_refused_at_their_place() {
        let mut found = Findings::default();
        let settings = json!({"message": "x".repeat(4_097), "messages": {"es": 1, "pt": "y".repeat(4_097)}});
        Handoff::read(settings, "/handoff", &mut found);
        let places: Vec<&str> = found.errors.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(places, ["/handoff/message", "/handoff/messages/es", "/handoff/messages/pt"]);
    }
}
