//! Words that most often stand in a sentence that hides what happens. A reminder: the reader
//! decides.
//!
//! `nobody` and the like are for people, never for tasks, rows or nodes; see `docs/glossary.md`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::files::with_extensions;

const WORDS: [&str; 6] = ["nobody", "somebody", "whoever", "anew", "is told", "beside"];

/// Largest allowed count of all words together. Lower it when there are fewer.
const CEILING: usize = 60;

/// Prints how often each word stands in sources, comments, messages and documents.
pub fn check(root: &Path) -> Result<()> {
    let mut counts = [0; WORDS.len()];
    for file in with_extensions(root, &["md", "rs", "sql", "toml", "py"])? {
        if file.path != file!() {
            let text = file.text.to_lowercase();
            for (count, word) in counts.iter_mut().zip(WORDS) {
                *count += occurrences(&text, word);
            }
        }
    }
    let total: usize = counts.iter().sum();
    let list: Vec<String> = WORDS.iter().zip(counts).map(|(word, count)| format!("{word} {count}")).collect();
    println!("{}; {total} in all, {CEILING} allowed", list.join(", "));
    if total > CEILING {
        bail!("say it in other words: subject, verb, object");
    }
    Ok(())
}

/// Of the whole word: not as a part of a name.
fn occurrences(text: &str, word: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: usize| !text[..at].ends_with(is_name) && !text[at + word.len()..].starts_with(is_name);
    text.match_indices(word).filter(|(at, _)| whole(*at)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        assert_eq!(occurrences("beside a besides, (beside) beside_b", "beside"), 2);
        assert_eq!(occurrences("what is told; it is tolder", "is told"), 1);
    }
}
