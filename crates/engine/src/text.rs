//! Rules for texts: escaping of untrusted words, comments of prompt files, links, and the size of
//! messages.

use crate::limits;

/// An untrusted text on one line and without delimiters.
pub(crate) fn escaped(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('<', "&lt;")
}

/// Removes marks like the engine's own `[system …]`, which a contact may write.
pub(crate) fn unmarked(text: &str) -> String {
    if text.to_ascii_lowercase().contains("[system") { text.replace('[', "(") } else { text.to_owned() }
}

/// Removes HTML comments. In prompt files they say which failure a sentence guards.
pub(crate) fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after.trim_start_matches('\n'));
    }
    out.push_str(rest);
    out
}

/// The links in a text, normalised: lower case, without scheme and trailing punctuation.
pub(crate) fn links_of(text: &str) -> Vec<String> {
    let link = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '%' | '=' | '-' | '_'));
        let lower = word.to_lowercase();
        let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest).trim_start_matches('/');
        let host = bare.split(['/', '?', '#']).next().unwrap_or_default();
        let is_host = host.contains('.') && !host.contains("..");
        let is_link = is_host && (lower.contains("://") || bare.contains('/'));
        is_link.then(|| bare.trim_end_matches('/').chars().take(300).collect::<String>())
    };
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']'))
        .filter_map(link)
        .collect()
}

/// Cuts a text into messages of WhatsApp's size, at the ends of paragraphs, else lines, else words.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut rest = text.trim();
    let mut pieces = Vec::new();
    while pieces.len() < limits::PIECES
        && let Some((limit, _)) = rest.char_indices().nth(limits::TEXT)
    {
        let head = &rest[..limit];
        let cut = ["\n\n", "\n", " "].iter().find_map(|end| head.rfind(end)).filter(|cut| *cut > 0).unwrap_or(limit);
        pieces.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() && pieces.len() < limits::PIECES {
        pieces.push(rest.to_owned());
    }
    pieces
}
