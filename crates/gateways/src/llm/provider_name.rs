//! Names of model providers as settings write them.

use std::str::FromStr;

/// A provider as it is written in settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// api.openai.com.
    OpenAi,
    /// openrouter.ai.
    OpenRouter,
    /// Anything that speaks chat completions at a base URL.
    OpenAiCompatible,
    /// Known, not yet supported.
    Anthropic,
    /// Known, not yet supported.
    Google,
    /// The built-in stand-in.
    Rehearsal,
}

impl ProviderName {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OpenAi, Self::OpenRouter, Self::OpenAiCompatible, Self::Anthropic, Self::Google, Self::Rehearsal];

    /// As it is written.
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

/// The text names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a provider; known are OpenAI, OpenRouter, OpenAICompatible, Anthropic, Google, Rehearsal")]
pub struct UnknownProvider;

impl FromStr for ProviderName {
    type Err = UnknownProvider;

    /// Case does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text.trim())).ok_or(UnknownProvider)
    }
}
