//! Pictures of requests: which models are shown them, and how many (docs/decisions/0031-pictures-for-models.md).
//!
//! A model is tried unless it is known to take texts only; a refusal teaches the rest.

use super::{
    adaptation::{Adaptation, Learned},
    dialect::Dialect,
};
use domain::{
    chat::{ChatMessage, ModelRequest},
    picture::PictureSource,
};
use std::collections::BTreeSet;

/// Bounds of the pictures of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    /// Most pictures.
    pub count: usize,
    /// Most bytes of one.
    pub each: i64,
    /// Most bytes of all.
    pub total: i64,
}

/// The newest of a conversation. Each costs tokens in every request.
const COUNT: usize = 4;
/// Base64 of Anthropic's 5 MB: it counts the encoded bytes
/// (https://github.com/anthropics/claude-code/issues/19631). The others take more.
const EACH: i64 = 5 * (1 << 20) / 4 * 3;
/// Gemini's requests have at most 20 MB with the encoded bytes
/// (https://ai.google.dev/gemini-api/docs/image-understanding); Anthropic's 32 MB, OpenAI's 50 MB.
const TOTAL: i64 = 10 * (1 << 20);
/// Groq's requests with encoded pictures have at most 4 MB (https://console.groq.com/docs/vision).
const TOTAL_OF_GROQ: i64 = 11 * (1 << 18);

/// Types that every provider takes:
/// https://platform.openai.com/docs/guides/images-vision,
/// https://docs.anthropic.com/en/docs/build-with-claude/vision,
/// https://ai.google.dev/gemini-api/docs/image-understanding (no GIF),
/// https://docs.mistral.ai/capabilities/vision/. WhatsApp sends no other types: stickers are WebP.
const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// Beginnings of the names of models that take texts only, without the vendor:
/// https://api-docs.deepseek.com/quick_start/pricing, https://console.groq.com/docs/models,
/// https://platform.openai.com/docs/models. DeepSeek's refuse `image_url`
/// (https://github.com/rikkahub/rikkahub/issues/1433).
const TEXT_ONLY: [&str; 12] = [
    "deepseek-chat",
    "deepseek-reasoner",
    "deepseek-r1",
    "deepseek-v3",
    "deepseek-v4",
    "gpt-3.5",
    "o1-mini",
    "o1-preview",
    "o3-mini",
    "llama-3.1-",
    "llama-3.3-",
    "codestral",
];

/// The bounds for a model; `None` if it is not shown pictures.
pub(super) fn limits(dialect: Dialect, model: &str, learned: &Learned) -> Option<PictureLimits> {
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    if TEXT_ONLY.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let most = most(&learned.of(model));
    let total = if dialect == Dialect::Groq { TOTAL_OF_GROQ } else { TOTAL };
    (most > 0).then_some(PictureLimits { count: most, each: EACH.min(total), total })
}

fn most(adapted: &BTreeSet<Adaptation>) -> usize {
    let learned = adapted.iter().find_map(|one| if let Adaptation::Pictures(most) = one { Some(*most) } else { None });
    learned.map_or(COUNT, |most| COUNT.min(usize::try_from(most).unwrap_or(usize::MAX)))
}

impl PictureLimits {
    /// True if a picture may be shown beside others with this number and these bytes.
    pub fn takes(&self, mime_type: &str, size: i64, (others, bytes): (usize, i64)) -> bool {
        TYPES.contains(&mime_type)
            && (1..=self.each).contains(&size)
            && others < self.count
            && bytes.saturating_add(size) <= self.total
    }
}

/// Those pictures of a request that its model is shown: the newest ones within the bounds.
pub(super) fn shown(dialect: Dialect, model: &str, learned: &Learned, request: &ModelRequest) -> Vec<PictureSource> {
    if request.pictures.is_empty() {
        return Vec::new();
    }
    let Some(limits) = limits(dialect, model, learned) else { return Vec::new() };
    let mut shown: Vec<PictureSource> = Vec::new();
    let named = request.messages.iter().rev().filter_map(|message| match message {
        ChatMessage::User { pictures, .. } => Some(pictures.iter().rev()),
        ChatMessage::Assistant { .. } | ChatMessage::Tool { .. } => None,
    });
    for id in named.flatten() {
        let Some(picture) = request.pictures.iter().find(|picture| picture.source.message_id == *id) else { continue };
        let source = &picture.source;
        let before = (shown.len(), shown.iter().map(|one| one.size).sum());
        let again = shown.iter().any(|one| one.message_id == *id);
        if !again
            && limits.takes(&source.mime_type, source.size, before)
            && !learned.refused_picture(model, &source.sha256)
        {
            shown.push(source.clone());
        }
    }
    shown.reverse();
    shown
}

/// Most pictures of a request, in a refusal: "At most 1 image(s) may be provided in one prompt." (vLLM).
pub(super) fn most_named(details: &str) -> Option<u32> {
    let lower = details.to_lowercase();
    let (before, _) = lower.split_once(" image(s) may be provided")?;
    before.rsplit_once("at most ")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_for_text_are_shown_no_picture() {
        let limits = |dialect, model| limits(dialect, model, &Learned::default());
        for model in ["deepseek-chat", "deepseek/deepseek-v3.2", "llama-3.3-70b-versatile", "openai/o3-mini"] {
            assert_eq!(limits(Dialect::OpenRouter, model), None, "{model}");
        }
        for model in ["gpt-4.1-mini", "claude-haiku-4-5", "meta-llama/llama-4-scout-17b-16e-instruct", "our-own", ""] {
            assert!(limits(Dialect::Compatible, model).is_some(), "{model}");
        }
        let groq = limits(Dialect::Groq, "meta-llama/llama-4-scout-17b-16e-instruct").unwrap();
        assert!(groq.total / 3 * 4 < 4_000_000, "base64 fits into a request of Groq");
    }

    #[test]
    fn learned_number_is_a_bound() {
        let learned = Learned::default();
        learned.add("m", Adaptation::Pictures(1));
        assert_eq!(limits(Dialect::Compatible, "m", &learned).unwrap().count, 1);
        learned.add("m", Adaptation::Pictures(0));
        assert_eq!(limits(Dialect::Compatible, "m", &learned), None);
    }

    #[test]
    fn bounds_hold_for_number_bytes_and_type() {
        let limits = PictureLimits { count: 2, each: 10, total: 15 };
        assert!(limits.takes("image/png", 10, (1, 5)));
        for (kind, size, before) in [
            ("image/png", 11, (0, 0)),
            ("image/png", 0, (0, 0)),
            ("image/png", 10, (1, 6)),
            ("image/png", 1, (2, 2)),
            ("image/gif", 1, (0, 0)),
            ("application/octet-stream", 1, (0, 0)),
        ] {
            assert!(!limits.takes(kind, size, before), "{kind} {size} {before:?}");
        }
    }

    #[test]
    fn number_in_a_refusal_is_read() {
        assert_eq!(most_named(r#"{"message":"At most 3 image(s) may be provided in one prompt."}"#), Some(3));
        assert_eq!(most_named("At most many image(s) may be provided"), None);
    }
}
