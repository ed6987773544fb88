//! Finish reasons of chat-completions servers. A reason that is not listed is not "finished": the
//! answer may be half of a call, so nothing of it runs (docs/spec/engine.md 5.4).

use domain::chat::Ended;

/// Meaning of a finish reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Ended(Ended),
    /// The server failed while it answered; a repetition may help.
    Failed,
}

/// Compared in lower case, with `-` and blanks as `_`.
const WHOLE: [&str; 15] = [
    "stop",
    "tool_calls",
    "tool_call",
    "tool_use",
    "function_call",
    // Text Generation Inference, Cohere, Anthropic and Ollama behind a proxy that keeps their words.
    "eos",
    "eos_token",
    "stop_sequence",
    "complete",
    "completed",
    "end_turn",
    "end",
    "stop_token",
    "load",
    "finish",
];
const CUT: [&str; 5] = ["length", "max_tokens", "model_length", "max_output_tokens", "token_limit"];
const REFUSED: [&str; 10] = [
    "content_filter",
    "content_filtered",
    "refusal",
    // Gemini (GenerateContentResponse.FinishReason).
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "image_safety",
    "guardrail_intervened",
];
const FAILED: [&str; 6] = [
    // OpenRouter and Mistral.
    "error",
    // DeepSeek: the request was interrupted for lack of resources.
    "insufficient_system_resource",
    // vLLM and SGLang.
    "abort",
    "aborted",
    "cancelled",
    "timeout",
];

/// Servers that do not stream may leave the reason out.
pub(super) fn read(reason: Option<&str>) -> Finish {
    let reason = reason.unwrap_or_default().trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let is = |listed: &[&str]| listed.contains(&reason.as_str());
    match () {
        () if reason.is_empty() || is(&WHOLE) => Finish::Ended(Ended::Whole),
        () if is(&CUT) => Finish::Ended(Ended::Cut),
        () if is(&REFUSED) => Finish::Ended(Ended::Refused),
        () if is(&FAILED) => Finish::Failed,
        // Gemini: `MALFORMED_FUNCTION_CALL`, `UNEXPECTED_TOOL_CALL`, and with a prefix in its
        // OpenAI-compatible answers (`function_call_filter: MALFORMED_FUNCTION_CALL`).
        () => Finish::Ended(Ended::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_reasons_are_complete_answers() {
        for (reason, expected) in [
            (None, Finish::Ended(Ended::Whole)),
            (Some(""), Finish::Ended(Ended::Whole)),
            (Some("STOP"), Finish::Ended(Ended::Whole)),
            (Some("tool_calls"), Finish::Ended(Ended::Whole)),
            (Some("MAX_TOKENS"), Finish::Ended(Ended::Cut)),
            (Some("length"), Finish::Ended(Ended::Cut)),
            (Some("content-filter"), Finish::Ended(Ended::Refused)),
            (Some("SAFETY"), Finish::Ended(Ended::Refused)),
            (Some("error"), Finish::Failed),
            (Some("insufficient_system_resource"), Finish::Failed),
            (Some("MALFORMED_FUNCTION_CALL"), Finish::Ended(Ended::Malformed)),
            (Some("function_call_filter: MALFORMED_FUNCTION_CALL"), Finish::Ended(Ended::Malformed)),
            (Some("UNEXPECTED_TOOL_CALL"), Finish::Ended(Ended::Malformed)),
            (Some("other"), Finish::Ended(Ended::Malformed)),
            (Some("null"), Finish::Ended(Ended::Malformed)),
        ] {
            assert_eq!(read(reason), expected, "{reason:?}");
        }
    }
}
