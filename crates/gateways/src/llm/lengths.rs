//! Numbers in refusals of requests that are too long.

use domain::chat::Length;
use serde_json::Value;

/// Tokens that the model takes, and those of the request without its answer.
///
/// OpenAI, vLLM, DeepSeek: "maximum context length is 8192 tokens. However, you requested 9000
/// tokens (7000 in the messages, 2000 in the completion)". Anthropic: "prompt is too long: 210000
/// tokens > 200000 maximum", "input length and `max_tokens` exceed context limit: 195000 + 8192 >
/// 200000". Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed
/// (1048576)". llama.cpp: `n_prompt_tokens` and `n_ctx`.
pub(super) fn of(details: &str) -> Option<Length> {
    if let Ok(body) = serde_json::from_str::<Value>(details)
        && let (Some(used), Some(limit)) = (body.pointer("/error/n_prompt_tokens"), body.pointer("/error/n_ctx"))
    {
        return Some(Length { limit: limit.as_u64()?, used: used.as_u64()? });
    }
    let lower = details.to_lowercase();
    if let Some((_, rest)) = lower.split_once("maximum context length is") {
        let limit = *numbers(rest).first()?;
        let used = match rest.split_once(" in the messages") {
            Some((before, _)) => numbers(before).last().copied(),
            None => numbers(rest).get(1).copied(),
        };
        return Some(Length { limit, used: used? });
    }
    for marks in ["prompt is too long:", "exceed context limit:", "input token count", "request ("] {
        let Some((_, rest)) = lower.split_once(marks) else { continue };
        let numbers = numbers(rest);
        let [used, .., limit] = numbers[..numbers.len().min(3)] else { continue };
        // "195000 + 8192 > 200000" has three numbers, the others two.
        let limit = if marks == "exceed context limit:" { limit } else { numbers[1] };
        return Some(Length { limit, used });
    }
    None
}

/// Longest answer that a refusal of `max_tokens` names.
pub(super) fn answer_limit(details: &str) -> Option<u32> {
    let lower = details.to_lowercase();
    let after = |mark: &str| Some(numbers(lower.split_once(mark)?.1)).filter(|numbers| !numbers.is_empty());
    let of = |numbers: Vec<u64>, place: usize| numbers.get(place).and_then(|number| u32::try_from(*number).ok());
    // Anthropic: "max_tokens: 50000 > 8192, which is the maximum allowed number of output tokens".
    if lower.contains("maximum allowed number of output tokens") {
        return of(after("max_tokens:")?, 1);
    }
    // DeepSeek: "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]".
    after("supports at most").and_then(|all| of(all, 0)).or_else(|| of(after("valid range of max_tokens")?, 1))
}

fn numbers(text: &str) -> Vec<u64> {
    let text = text.replace(',', if text.contains('[') { " " } else { "" });
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_too_long_requests_are_read() {
        for (text, used, limit) in [
            (
                "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (7000 in the messages, 2000 in the completion).",
                7_000,
                8_192,
            ),
            (
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9100 tokens.",
                9_100,
                8_192,
            ),
            ("prompt is too long: 210000 tokens > 200000 maximum", 210_000, 200_000),
            ("input length and `max_tokens` exceed context limit: 195000 + 8192 > 200000", 195_000, 200_000),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                1_200_000,
                1_048_576,
            ),
            (
                r#"{"error":{"code":400,"message":"the request exceeds","n_prompt_tokens":1407,"n_ctx":256}}"#,
                1_407,
                256,
            ),
            (
                "request (33056 tokens) exceeds the available context size (32768 tokens), try increasing it",
                33_056,
                32_768,
            ),
        ] {
            assert_eq!(of(text), Some(Length { limit, used }), "{text}");
        }
        assert_eq!(of("too long"), None);
    }

    #[test]
    fn limits_of_answers_are_read() {
        for (text, limit) in [
            (
                "max_tokens is too large: 50000. This model supports at most 16384 completion tokens, whereas you provided 50000.",
                16_384,
            ),
            ("max_tokens: 50000 > 8192, which is the maximum allowed number of output tokens for claude", 8_192),
            ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8_192),
        ] {
            assert_eq!(answer_limit(text), Some(limit), "{text}");
        }
    }
}
