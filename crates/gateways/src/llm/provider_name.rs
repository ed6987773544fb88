//! Names of model providers as settings write them.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    OpenAi,
    AzureOpenAi,
    Anthropic,
    Google,
    OpenRouter,
    Mistral,
    DeepSeek,
    Groq,
    /// Any server with the chat-completions protocol at a base URL.
    OpenAiCompatible,
    /// The in-process model.
    Rehearsal,
}

impl ProviderName {
    pub const ALL: [Self; 10] = [
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::Anthropic,
        Self::Google,
        Self::OpenRouter,
        Self::Mistral,
        Self::DeepSeek,
        Self::Groq,
        Self::OpenAiCompatible,
        Self::Rehearsal,
    ];

    /// The spelling in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::AzureOpenAi => "AzureOpenAI",
            Self::Anthropic => "Anthropic",
            Self::Google => "Google",
            Self::OpenRouter => "OpenRouter",
            Self::Mistral => "Mistral",
            Self::DeepSeek => "DeepSeek",
            Self::Groq => "Groq",
            Self::OpenAiCompatible => "OpenAICompatible",
            Self::Rehearsal => "Rehearsal",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a provider; known are OpenAI, AzureOpenAI, Anthropic, Google, OpenRouter, Mistral, DeepSeek, Groq, OpenAICompatible, Rehearsal"
)]
pub struct UnknownProvider;

impl FromStr for ProviderName {
    type Err = UnknownProvider;

    /// Ignores case.
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text.trim())).ok_or(UnknownProvider)
    }
}
