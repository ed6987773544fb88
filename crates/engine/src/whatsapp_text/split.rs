//! Splits long texts into messages: at the ends of paragraphs and sentences, else at lines or words,
//! and never inside of what a person sees as one character.

use unicode_segmentation::GraphemeCursor;

/// Parts of a text, and the characters that found no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub parts: Vec<String>,
    /// Characters after the last part.
    pub dropped: usize,
}

/// Splits a text into at most `most` parts of at most `longest` characters.
pub(crate) fn split(text: &str, longest: usize, most: usize) -> Split {
    let mut rest = text.trim();
    let mut parts = Vec::new();
    while !rest.is_empty() && parts.len() < most {
        let cut = cut_of(rest, longest);
        parts.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    Split { parts, dropped: rest.chars().count() }
}

/// The first part of a text, and the characters after it.
pub(crate) fn shortened(text: &str, longest: usize) -> (String, usize) {
    let cut = cut_of(text, longest);
    (text[..cut].trim_end().to_owned(), text[cut..].trim().chars().count())
}

/// Bytes of the first part.
fn cut_of(text: &str, longest: usize) -> usize {
    let Some((limit, _)) = text.char_indices().nth(longest) else { return text.len() };
    let head = &text[..limit];
    // A part is no shorter than a quarter: a heading alone is no message.
    let least = limit / 4;
    let paragraph = head.rfind("\n\n");
    let ends = [paragraph, sentence_end(head), head.rfind('\n'), head.rfind(char::is_whitespace)];
    let found = ends.into_iter().flatten().find(|cut| *cut > least && is_boundary(text, *cut));
    found.unwrap_or_else(|| grapheme(text, limit))
}

/// After the last `.`, `!`, `?` or `…` that blank space follows, with marks and quotation marks that
/// close there, or after a full stop of Chinese or Japanese.
fn sentence_end(text: &str) -> Option<usize> {
    text.char_indices().rev().find_map(|(at, c)| {
        let end = at + c.len_utf8();
        if matches!(c, '。' | '！' | '？') {
            return Some(end);
        }
        let after = text[end..].trim_start_matches(['*', '_', '~', '"', '\'', ')', '”', '»']);
        let ends = matches!(c, '.' | '!' | '?' | '…') && after.starts_with(char::is_whitespace);
        ends.then_some(text.len() - after.len())
    })
}

fn is_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}

/// The last boundary of a visible character up to `limit`. A character that is longer than a message
/// is split, since nothing may be lost.
fn grapheme(text: &str, limit: usize) -> usize {
    if is_boundary(text, limit) {
        return limit;
    }
    let before = GraphemeCursor::new(limit, text.len(), true).prev_boundary(text, 0).ok().flatten();
    before.filter(|at| *at > 0).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, longest: usize) -> Vec<String> {
        split(text, longest, 100).parts
    }

    #[test]
    fn long_texts_are_split_where_a_reader_pauses() {
        assert_eq!(parts("One two. Three four. Five", 22), ["One two. Three four.", "Five"]);
        assert_eq!(parts("First part here.\n\nSecond. Third", 26), ["First part here.", "Second. Third"]);
        assert_eq!(parts("no end in sight here", 12), ["no end in", "sight here"]);
        assert_eq!(parts("line one\nline two", 10), ["line one", "line two"]);
        assert_eq!(parts("你好。再见。谢谢", 7), ["你好。再见。", "谢谢"]);
        assert_eq!(parts("Costs 3.50 today and 4.50 tomorrow", 24), ["Costs 3.50 today and", "4.50 tomorrow"]);
    }

    #[test]
    fn visible_characters_are_never_split_and_nothing_is_lost() {
        let family = "👨‍👩‍👧‍👦";
        for (unit, longest) in [(family, 10), ("e\u{301}", 5), ("🇪🇸", 3), ("❤️", 3), ("a", 4)] {
            let text = unit.repeat(40);
            let parts = parts(&text, longest);
            assert_eq!(parts.concat(), text);
            let whole = |part: &String| part.len().is_multiple_of(unit.len()) && part.chars().count() <= longest;
            assert!(parts.iter().all(whole), "{unit}: {parts:?}");
        }
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let split = split(&"word ".repeat(100), 50, 3);
        assert_eq!(split.parts.len(), 3);
        let kept: usize = split.parts.iter().map(|part| part.split(' ').count()).sum();
        assert_eq!(split.dropped, (100 - kept) * 5 - 1);
        assert_eq!(shortened("One. Two", 6), ("One.".into(), 3));
        assert_eq!(shortened("One", 6), ("One".into(), 0));
    }
}
