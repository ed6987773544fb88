//! The dialects of model servers. "OpenAI-compatible" is not one protocol: each server refuses
//! something else. What differs is here as data; sources are named in `testkit::dialects`.

use super::adaptation::Adaptation;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Azure,
    Anthropic,
    Gemini,
    /// Gemini behind Google's chat-completions endpoint.
    GeminiCompatible,
    Mistral,
    DeepSeek,
    Groq,
    OpenRouter,
    /// Any other chat-completions server: vLLM, llama.cpp, Ollama, LM Studio.
    Compatible,
}

impl Dialect {
    pub const ALL: [Self; 10] = [
        Self::OpenAi,
        Self::Azure,
        Self::Anthropic,
        Self::Gemini,
        Self::GeminiCompatible,
        Self::Mistral,
        Self::DeepSeek,
        Self::Groq,
        Self::OpenRouter,
        Self::Compatible,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::GeminiCompatible => "gemini_compatible",
            Self::Mistral => "mistral",
            Self::DeepSeek => "deepseek",
            Self::Groq => "groq",
            Self::OpenRouter => "openrouter",
            Self::Compatible => "compatible",
        }
    }

    /// The dialect of a chat-completions server at an address that settings name.
    pub fn at(base_url: &str) -> Self {
        const PLACES: [(&str, Dialect); 8] = [
            ("api.openai.com", Dialect::OpenAi),
            (".openai.azure.com", Dialect::Azure),
            (".services.ai.azure.com", Dialect::Azure),
            ("/v1beta/openai", Dialect::GeminiCompatible),
            ("api.mistral.ai", Dialect::Mistral),
            ("api.deepseek.com", Dialect::DeepSeek),
            ("api.groq.com", Dialect::Groq),
            ("openrouter.ai", Dialect::OpenRouter),
        ];
        PLACES.iter().find(|(part, _)| base_url.contains(part)).map_or(Self::Compatible, |(_, dialect)| *dialect)
    }

    /// Adaptations that every model of the dialect needs, so that no refusal has to teach them.
    pub(super) fn adaptations(self, model: &str) -> BTreeSet<Adaptation> {
        let model = model.rsplit('/').next().unwrap_or(model);
        let mistral = ["mistral", "ministral", "magistral", "devstral", "codestral", "pixtral", "mixtral"];
        let bridged = self == Self::Mistral || mistral.iter().any(|family| model.to_lowercase().starts_with(family));
        let gemini = matches!(self, Self::Gemini | Self::GeminiCompatible) && model.starts_with("gemini-3");
        let filled = gemini || (self == Self::DeepSeek && !model.starts_with("deepseek-chat"));
        // It refuses `stream_options` and counts without them
        // (https://github.com/avante-corp/avante.nvim/issues/2347).
        let uncounted = self == Self::Mistral;
        [(bridged, Adaptation::Bridge), (filled, Adaptation::FilledOpaque), (uncounted, Adaptation::NoStreamOptions)]
            .into_iter()
            .filter_map(|(needed, adaptation)| needed.then_some(adaptation))
            .collect()
    }

    /// True if the newer name of the output limit is the usual one.
    pub(super) const fn has_completion_limit(self) -> bool {
        matches!(self, Self::OpenAi | Self::Azure | Self::Groq)
    }

    /// True if parts of an earlier answer belong into the messages of a chat-completions request.
    /// Others refuse members that they do not know.
    pub(super) const fn takes_parts(self) -> bool {
        matches!(self, Self::GeminiCompatible | Self::DeepSeek | Self::OpenRouter | Self::Compatible)
    }

    /// True if schemas of tools may only use the keywords of OpenAPI.
    pub(super) const fn has_narrow_schemas(self) -> bool {
        matches!(self, Self::Gemini | Self::GeminiCompatible)
    }
}
