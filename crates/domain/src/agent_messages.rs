//! A project's settings for the messages of its agents: the disclosure that an automated assistant
//! writes, and the conversion of Markdown to WhatsApp's marks.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters of a disclosure.
pub const DISCLOSURE: usize = 300;
/// Languages of a disclosure.
pub const LANGUAGES: usize = 40;

/// Settings of a project. Projects from before there were any have none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentMessages {
    pub disclosure: Disclosure,
    /// Texts of models are sent as they wrote them.
    pub keep_markdown: bool,
}

/// The sentence before the first message that an agent sends to a contact. People must know that they
/// talk with a machine: Regulation (EU) 2024/1689, article 50(1), from 2 August 2026.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disclosure {
    pub enabled: bool,
    /// By language; replaces the built-in sentence of that language.
    pub texts: BTreeMap<String, String>,
}

/// Sentences of languages without a text; the first one is for all other languages.
const BUILT_IN: [(&str, &str); 6] = [
    ("en", "You are chatting with an automated assistant."),
    ("es", "Estás conversando con un asistente automático."),
    ("pt", "Você está conversando com um assistente automático."),
    ("de", "Sie schreiben mit einem automatischen Assistenten."),
    ("fr", "Vous échangez avec un assistant automatique."),
    ("it", "Stai parlando con un assistente automatico."),
];

impl AgentMessages {
    /// Settings of a project that is created now.
    pub fn of_new_project() -> Self {
        Self { disclosure: Disclosure { enabled: true, ..Disclosure::default() }, keep_markdown: false }
    }
}

impl Disclosure {
    /// The sentence in a language such as `es` or `pt-BR`; `None` if there is none to send.
    pub fn text_in(&self, language: &str) -> Option<&str> {
        if !self.enabled {
            return None;
        }
        let language = language.trim().replace('_', "-").to_lowercase();
        let short = language.split('-').next().unwrap_or_default();
        let own = |wanted: &str| {
            let found = self.texts.iter().find(|(known, _)| known.to_lowercase() == wanted);
            found.map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
        };
        let built_in = |wanted: &str| BUILT_IN.iter().find(|(known, _)| *known == wanted).map(|(_, text)| *text);
        let english = || own("en").or(Some(BUILT_IN[0].1));
        own(&language).or_else(|| own(short)).or_else(|| built_in(short)).or_else(english)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_of_the_language_else_built_in_else_english() {
        let texts = [("es".to_owned(), "Soy un robot.".to_owned()), ("pt-BR".to_owned(), "Sou um robô.".to_owned())];
        let disclosure = Disclosure { enabled: true, texts: texts.into_iter().collect() };
        assert_eq!(disclosure.text_in("es-MX"), Some("Soy un robot."));
        assert_eq!(disclosure.text_in("pt_BR"), Some("Sou um robô."));
        assert_eq!(disclosure.text_in("pt"), Some(BUILT_IN[2].1));
        assert_eq!(disclosure.text_in("ja"), Some(BUILT_IN[0].1));
        assert_eq!(Disclosure::default().text_in("en"), None, "off for projects from before");
        assert!(AgentMessages::of_new_project().disclosure.text_in("en").is_some());
    }
}
