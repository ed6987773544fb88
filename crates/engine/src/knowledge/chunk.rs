//! Cuts a text into passages that make sense alone: at a heading, else at the end of a paragraph, a
//! sentence, a line or a word. Each passage repeats the end of the one before, so nothing is lost
//! at a cut.
//! Sizes are bytes, four to a token as everywhere in the engine. The work is linear in the length
//! of the text.

use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// 1,000 tokens.
const LONGEST: usize = 4_000;
/// All chunks but the last are at least this long: an early heading makes no tiny chunk, and
/// cutting always advances.
const SHORTEST: usize = LONGEST / 2;
/// Repeated from the chunk before: 150 tokens.
const OVERLAP: usize = 600;
/// Largest distance that a cut moves back to keep one visible character together.
const LETTER: usize = 64;

/// Places to cut at, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    Word,
    Line,
    Sentence,
    Paragraph,
    Heading,
}

/// The chunks in order. Together they hold all of the text but surrounding white space.
pub(super) fn chunks(text: &str) -> Vec<Range<usize>> {
    let whole = text.trim_end();
    let mut chunks = Vec::new();
    let past_space = |at: usize| whole.len() - whole[at..].trim_start().len();
    let mut start = past_space(0);
    while start < whole.len() {
        let end = end_of(whole, start);
        chunks.push(start..end);
        start = past_space(if end == whole.len() { end } else { start_after(whole, end) });
    }
    chunks
}

fn end_of(text: &str, start: usize) -> usize {
    if text.len() - start <= LONGEST {
        return text.len();
    }
    let (earliest, latest) = (floor(text, start + SHORTEST), floor(text, start + LONGEST));
    cuts(text, earliest, latest)
        .max_by_key(|(place, cut)| (*cut, *place))
        .map_or_else(|| whole_letter(text, latest, earliest), |(place, _)| place)
}

/// Start of the chunk after one that ends at `end`: as far back as it may repeat, then forward to
/// the next sentence or word.
fn start_after(text: &str, end: usize) -> usize {
    let from = floor(text, end - OVERLAP);
    let sentence = cuts(text, from, floor(text, end - OVERLAP / 2)).find(|(_, cut)| *cut > Cut::Word);
    let begins = sentence.or_else(|| cuts(text, from, end).next()).map(|(place, _)| place).filter(|place| *place < end);
    begins.unwrap_or_else(|| whole_letter(text, from, from.saturating_sub(LETTER)))
}

/// Places after `from` and up to `to` where something ends and something else begins, in order.
fn cuts(text: &str, from: usize, to: usize) -> impl Iterator<Item = (usize, Cut)> {
    let mut letters = text[from..to].char_indices().peekable();
    let mut ended = false;
    std::iter::from_fn(move || {
        while let Some((at, letter)) = letters.next() {
            let place = from + at + letter.len_utf8();
            let before = ended;
            ended = ends_sentence(letter) || (ended && closes(letter));
            // These scripts write no space after a full stop.
            if matches!(letter, '。' | '！' | '？') {
                return Some((place, Cut::Sentence));
            }
            if !letter.is_whitespace() {
                continue;
            }
            let (mut lines, mut place) = (usize::from(letter == '\n'), place);
            while let Some((at, letter)) = letters.next_if(|(_, letter)| letter.is_whitespace()) {
                lines += usize::from(letter == '\n');
                place = from + at + letter.len_utf8();
            }
            let cut = match lines {
                0 if before => Cut::Sentence,
                0 => Cut::Word,
                _ if is_heading(&text[place..]) => Cut::Heading,
                1 if before => Cut::Sentence,
                1 => Cut::Line,
                _ => Cut::Paragraph,
            };
            return Some((place, cut));
        }
        None
    })
}

const fn ends_sentence(letter: char) -> bool {
    matches!(letter, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' | '۔')
}

const fn closes(letter: char) -> bool {
    matches!(letter, '"' | '\'' | ')' | ']' | '»' | '”' | '’' | '*' | '_')
}

/// Markdown: one to six `#` and a space.
fn is_heading(rest: &str) -> bool {
    let marks = rest.bytes().take(7).take_while(|byte| *byte == b'#').count();
    (1..=6).contains(&marks) && rest[marks..].starts_with([' ', '\t'])
}

/// The character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// A place at or before `at` that separates no letter from its accents and no emoji from its parts,
/// if there is one near.
fn whole_letter(text: &str, at: usize, earliest: usize) -> usize {
    let mut place = at;
    while place > earliest.max(at.saturating_sub(LETTER)) {
        let joins = |letter: char| {
            is_combining_mark(letter)
                || matches!(letter, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        };
        let after = text[place..].chars().next();
        let Some(before) = text[..place].chars().next_back() else { break };
        if before != '\u{200d}' && !after.is_some_and(joins) {
            return place;
        }
        place -= before.len_utf8();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        chunks(text).into_iter().map(|chunk| &text[chunk]).collect()
    }

    /// Checks the invariants of every text and returns its chunks.
    fn checked(text: &str) -> Vec<Range<usize>> {
        let chunks = chunks(text);
        let mut covered = 0;
        for (number, chunk) in chunks.iter().enumerate() {
            assert!(text.is_char_boundary(chunk.start) && text.is_char_boundary(chunk.end), "{chunk:?}");
            assert!(chunk.len() <= LONGEST && !text[chunk.clone()].trim().is_empty(), "{chunk:?}");
            assert!(text[covered..chunk.start.max(covered)].trim().is_empty(), "lost before {chunk:?}");
            assert!(covered.saturating_sub(chunk.start) <= OVERLAP + LETTER, "{chunk:?} repeats from {covered}");
            if number + 1 < chunks.len() {
                assert!(chunk.len() + LETTER >= SHORTEST - OVERLAP, "{chunk:?} is a crumb");
                assert!(chunk.end > covered, "{chunk:?} does not get on");
            }
            covered = chunk.end;
        }
        assert!(text[covered..].trim().is_empty(), "lost at the end");
        chunks
    }

    #[test]
    fn a_chunk_ends_at_a_heading_before_it_ends_at_a_paragraph_and_so_on() {
        let words = "word ".repeat(100);
        let sentence = format!("{}end.", "word ".repeat(20));
        let begins = |text: String, second: &str| {
            let chunks = checked(&text);
            let rest = text[chunks[0].end..].trim_start();
            assert!(rest.starts_with(second), "{:?} and not {second:?}", rest.get(..40));
        };
        // 2,000 to 4,000 bytes from the beginning; what stands last there is not always the best.
        begins(
            format!("{words}{words}{words}{words}{words}\n# Refunds\n{words}\n\nx. y {words}{words}{words}"),
            "# Refunds",
        );
        begins(
            format!("{words}{words}{words}{words}{words}\n \nParagraph {words} x. y\nz {words}{words}{words}"),
            "Paragraph",
        );
        begins(
            format!("{words}{words}{words}{words}{words} x.) Sentence {words}\nz {words}{words}{words}"),
            "Sentence",
        );
        begins(format!("{words}{words}{words}{words}{words}\nLine {words}{words}{words}{words}"), "Line");
        begins(format!("{}{}", "x".repeat(3_000), " Word".repeat(1_000)), "Word");
        // A number sign alone makes no heading.
        begins(
            format!("{words}{words}{words}{words}{words}\n#1 {words}\n\nParagraph {words}{words}{words}"),
            "Paragraph",
        );
        // Of several the last.
        begins(format!("{}Last {words}", format!("{sentence} ").repeat(37)), "");
    }

    #[test]
    fn each_chunk_begins_with_whole_sentences_of_the_one_before() {
        let text: String = (0..1_000).map(|number| format!("This is sentence {number} of many. ")).collect();
        let chunks = checked(&text);
        assert!(chunks.len() > 5);
        for pair in chunks.windows(2) {
            let repeated = pair[0].end - pair[1].start;
            assert!((OVERLAP - 50..=OVERLAP).contains(&repeated), "{repeated}");
            assert!(text[pair[1].clone()].starts_with("This is sentence "));
        }
    }

    #[test]
    fn a_short_text_is_one_chunk_and_an_empty_one_is_none() {
        assert_eq!(texts("  Open at nine.\n"), ["Open at nine."]);
        assert_eq!(texts(""), Vec::<&str>::new());
        assert_eq!(texts(" \n\t\u{3000}"), Vec::<&str>::new());
    }

    #[test]
    fn visible_characters_are_not_split() {
        for (letter, before) in [("👩‍👩‍👧‍👦", 0), ("e\u{301}", 1), ("👍🏽", 2), ("न\u{94d}", 3)]
        {
            let text = format!("{}{}", "x".repeat(before), letter.repeat(2_000));
            for pair in checked(&text).windows(2) {
                assert!(text[pair[0].end..].starts_with(letter), "{letter} is parted at an end");
                assert!(text[pair[1].start..].starts_with(letter), "{letter} is parted at a beginning");
            }
        }
    }

    #[test]
    fn text_without_spaces_or_only_of_spaces_is_cut() {
        let size = 256 << 10;
        for unit in [
            "a",
            "é",
            "字",
            "🦜",
            "\u{301}",
            "\u{200d}",
            "#",
            "# ",
            ".",
            ". ",
            "\n",
            "\r\n",
            " a",
            "。",
            "\0",
            "\u{3000}字",
        ] {
            let chunks = checked(&unit.repeat(size / unit.len()));
            assert!(chunks.len() <= size / (SHORTEST - OVERLAP) + 1, "{unit:?}: {}", chunks.len());
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-zé]{1,12} ",
            2 => Just(". ".to_owned()),
            1 => Just("\n\n".to_owned()),
            1 => Just("\n## Part\n".to_owned()),
            1 => "\\PC{1,20}",
            1 => ("\\PC", 1_usize..3_000).prop_map(|(letter, count)| letter.repeat(count)),
            1 => (1_usize..5_000).prop_map(|count| " ".repeat(count)),
        ];
        proptest::collection::vec((piece, 1_usize..40), 0..40).prop_map(|pieces| {
            pieces
                .into_iter()
                .map(|(piece, count)| if piece.len() > 100 { piece } else { piece.repeat(count) })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_cut_into_chunks_that_lose_nothing(text in pieces()) {
            checked(&text);
        }
    }
}
