//! Names of model providers as settings write them.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    OpenAi,
    OpenRouter,
    /// Any server with the chat-completions protocol at a base URL.
    OpenAiCompatible,
    /// Not supported yet.
    Anthropic,
    /// Not supported yet.
    Google,
    /// The in-process model.
    Rehearsal,
}

impl ProviderName {
    pub const ALL: [Self; 6] =
        [Self::OpenAi, Self::OpenRouter, Self::OpenAiCompatible, Self::Anthropic, Self::Google, Self::Rehearsal];

    /// The spelling in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::OpenRouter => "OpenRouter",
            Self::OpenAiCompatible => "OpenAICompatible",
            Self::Anthropic => "Anthropic",
            Self::Google => "Google",
            Self::Rehearsal => "Rehearsal",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a provider; known are OpenAI, OpenRouter, OpenAICompatible, Anthropic, Google, Rehearsal")]
pub struct UnknownProvider;

impl FromStr for ProviderName {
    type Err = UnknownProvider;

    /// Ignores case.
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text.trim())).ok_or(UnknownProvider)
    }
}
