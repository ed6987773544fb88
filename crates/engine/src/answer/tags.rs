//! Tags of private reasoning and of final answers, as models and chat templates write them.

use super::code;
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
}

/// A tag at a position of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// Names of private tags: `<think>` (DeepSeek, Qwen and most others), `<thought>` (Exaone, Gemini),
/// `<seed:think>` (Seed-OSS), `<reflection>` and the words of common prompts.
pub(super) const PRIVATE: [&str; 19] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "thought_process",
    "reasoning",
    "reasoning_content",
    "reflection",
    "analysis",
    "scratchpad",
    "inner_monologue",
    "internal_monologue",
    "inner_thoughts",
    "antthinking",
    "seed:think",
    "chain_of_thought",
    "cot",
    "internal",
    "begin_of_thought",
];
/// Always the words for the person.
pub(super) const FINAL: [&str; 3] = ["final", "final_answer", "final_response"];
/// The words for the person, where the text has private parts too or is nothing else.
pub(super) const REPLY: [&str; 6] = ["answer", "response", "reply", "output", "solution", "message"];

/// Longest tag with its attributes. Bytes.
const TAG: usize = 120;
/// Pairs without the shape of a tag.
const PAIRS: [(&str, &str); 9] = [
    // Magistral.
    ("[THINK]", "[/THINK]"),
    ("[think]", "[/think]"),
    ("[thinking]", "[/thinking]"),
    // Kimi.
    ("◁think▷", "◁/think▷"),
    // Cohere's Command A Reasoning.
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    // Open-R1 and OpenThinker.
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    // Apertus.
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    // MedGemma.
    ("<unused94>", "<unused95>"),
    // Gemma's thinking channel.
    ("<|channel>thought", "<channel|>"),
];

/// The next tag of a pair in `PAIRS`, or with one of these names.
pub(super) fn at(text: &str, from: usize, names: &[&str]) -> Option<Tag> {
    let rest = &text[from..];
    let found = |kind, length| Some(Tag { kind, range: from..from + length });
    if names.first() == Some(&PRIVATE[0]) {
        for (open, close) in PAIRS {
            if rest.starts_with(open) {
                return found(Kind::Open, open.len());
            }
            if rest.starts_with(close) {
                return found(Kind::Close, close.len());
            }
        }
    }
    let (kind, length) = tag(rest, names)?;
    found(kind, length)
}

/// `<name …>`, `</name>`, `<|name|>`, `<|/name|>`, and all of them with `&lt;` and `&gt;`.
fn tag(text: &str, names: &[&str]) -> Option<(Kind, usize)> {
    let (start, end) = if text.starts_with("&lt;") { ("&lt;", "&gt;") } else { ("<", ">") };
    let inner = text.strip_prefix(start)?;
    let close = inner[..inner.floor_char_boundary(TAG)].find(end)?;
    let length = start.len() + close + end.len();
    let inner = inner[..close].trim().trim_matches('|').trim();
    let (kind, inner) = match inner.strip_prefix('/') {
        Some(inner) => (Kind::Close, inner),
        None => (Kind::Open, inner),
    };
    if inner.ends_with('/') {
        return None;
    }
    let name = inner.split_whitespace().next()?.to_ascii_lowercase();
    let attributes = inner.trim_start()[name.len()..].trim();
    let has_attributes = attributes.is_empty() || attributes.contains('=');
    (has_attributes && names.contains(&name.as_str())).then_some((kind, length))
}

/// Tags that count: those in code, or between quotation marks, are words.
pub(super) fn all(text: &str, names: &[&str]) -> Vec<Tag> {
    let code: Vec<Range<usize>> =
        code::ranges(text).into_iter().filter(|range| !wraps_reasoning(text, range, names)).collect();
    let mut tags = Vec::new();
    let mut place = 0;
    while place < text.len() {
        match at(text, place, names) {
            Some(tag) => {
                place = tag.range.end;
                if !code::holds(&code, tag.range.start) && !is_quoted(text, &tag.range) {
                    tags.push(tag);
                }
            }
            None => place += text[place..].chars().next().map_or(1, char::len_utf8),
        }
    }
    tags
}

/// A whole answer in a fence that begins with reasoning is not a quotation.
fn wraps_reasoning(text: &str, range: &Range<usize>, names: &[&str]) -> bool {
    let block = text[range.clone()].trim();
    let inside = code::inside_of_fence(block).unwrap_or_default().trim_start();
    text[..range.start].trim().is_empty() && at(inside, 0, names).is_some_and(|tag| tag.kind == Kind::Open)
}

fn is_quoted(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    matches!(
        (before, after),
        (Some('"'), Some('"')) | (Some('\''), Some('\'')) | (Some('“' | '„'), Some('”' | '“')) | (Some('«'), Some('»'))
    )
}
