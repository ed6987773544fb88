//! "Did you mean": the known word nearest to an unknown one.

/// Edits by which two words may differ.
const NEAR: usize = 2;

/// Longer words are not compared: that costs time, and few are mistyped.
const LONGEST: usize = 128;

/// The candidate that is equal but for case, or at most two edits away.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = word.to_lowercase().chars().collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        if candidate == word || candidate.len() > LONGEST * 4 {
            continue;
        }
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if other.len().abs_diff(wanted.len()) > NEAR {
            continue;
        }
        let distance = distance(&wanted, &other);
        // A word of two letters is two edits away from any other.
        let near = distance <= NEAR && distance < wanted.len();
        if near && best.is_none_or(|(known, _)| distance < known) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Levenshtein distance: insertions, deletions and replacements.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_typo_is_recognised() {
        let names = ["refund", "triage", "DefaultNode"];
        assert_eq!(nearest("refnd", names), Some("refund"));
        assert_eq!(nearest("defaultnode", names), Some("DefaultNode"));
        assert_eq!(nearest("Triege", names), Some("triage"));
        assert_eq!(nearest("billing", names), None);
    }

    #[test]
    fn the_nearest_of_several_wins_and_short_words_are_left_alone() {
        assert_eq!(nearest("stok", ["stack", "stock"]), Some("stock"));
        assert_eq!(nearest("a", ["b", "c"]), None);
        assert_eq!(nearest("", ["b"]), None);
    }
}
