//! An index of words: BM25 with case and accents folded.
//! The vocabulary is one sorted text, and each word has its list of chunks: compact, and
//! independent of the order of hash maps.

use std::collections::HashMap;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Usual parameters of BM25: saturation of repeated words, and normalisation by length.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// Letters of the longest word; longer ones are split.
const LETTERS: usize = 40;
/// Words of a query that are used.
const QUERY_WORDS: usize = 64;
/// Substitutes for a word that the text lacks: how many, their weight, and the letters that they
/// must share with it.
const KIN: usize = 8;
const KIN_WORTH: f64 = 0.5;
const KIN_LETTERS: usize = 4;
/// Letters by which the end of a word may differ.
const ENDING: usize = 3;

/// The index of one text.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// All words, sorted and concatenated.
    letters: String,
    entries: Vec<Entry>,
    /// By word, then by chunk.
    postings: Vec<Posting>,
    /// Number of words of each chunk.
    lengths: Vec<u32>,
    /// Number of words of all chunks.
    total: u64,
}

/// A word: its letters, and the start of its postings, which end where those of the next word
/// start.
#[derive(Debug, Clone, Copy)]
struct Entry {
    letters: u32,
    length: u32,
    postings: u32,
}

/// A chunk and how often it holds the word.
#[derive(Debug, Clone, Copy)]
struct Posting {
    chunk: u32,
    times: u32,
}

impl Words {
    pub(super) fn of<'a>(chunks: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Self::default();
        let mut numbers: HashMap<Box<str>, u32> = HashMap::new();
        // The number of each word, with its chunk.
        let mut said: Vec<(u32, u32)> = Vec::new();
        for (chunk, text) in (0..).zip(chunks) {
            let before = said.len();
            each_word(text, &mut |word| {
                let number = numbers.get(word).copied().unwrap_or_else(|| {
                    let number = short(numbers.len());
                    numbers.insert(word.into(), number);
                    number
                });
                said.push((number, chunk));
            });
            words.lengths.push(short(said.len() - before));
        }
        words.total = u64::try_from(said.len()).unwrap_or(u64::MAX);
        let mut vocabulary: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        vocabulary.sort_unstable();
        let mut places = vec![0; vocabulary.len()];
        for (place, (_, number)) in (0..).zip(&vocabulary) {
            places[*number as usize] = place;
        }
        for (number, _) in &mut said {
            *number = places[*number as usize];
        }
        said.sort_unstable();
        let mut rest = said.into_iter().peekable();
        for (place, (word, _)) in (0..).zip(vocabulary) {
            let (letters, first) = (short(words.letters.len()), words.postings.len());
            words.entries.push(Entry { letters, length: short(word.len()), postings: short(first) });
            words.letters.push_str(&word);
            while let Some((_, chunk)) = rest.next_if(|(word, _)| *word == place) {
                match words.postings[first..].last_mut() {
                    Some(last) if last.chunk == chunk => last.times += 1,
                    _ => words.postings.push(Posting { chunk, times: 1 }),
                }
            }
        }
        words.letters.shrink_to_fit();
        words.postings.shrink_to_fit();
        words
    }

    pub(super) fn bytes(&self) -> usize {
        self.letters.len()
            + self.entries.len() * size_of::<Entry>()
            + self.postings.len() * size_of::<Posting>()
            + self.lengths.len() * size_of::<u32>()
    }

    /// The chunks that match the query, best first. Chunks that share no word with it are left out.
    pub(super) fn best(&self, query: &str, most: usize) -> Vec<usize> {
        let mut asked: Vec<String> = Vec::new();
        each_word(query, &mut |word| {
            if asked.len() < QUERY_WORDS && !asked.iter().any(|known| known == word) {
                asked.push(word.to_owned());
            }
        });
        let mut scores = vec![0.0; self.lengths.len()];
        for word in &asked {
            for (place, worth) in self.standing_for(word) {
                self.score(place, worth, &mut scores);
            }
        }
        let mut best: Vec<usize> = (0..scores.len()).filter(|chunk| scores[*chunk] > 0.0).collect();
        best.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]).then(one.cmp(other)));
        best.truncate(most);
        best
    }

    fn score(&self, place: usize, worth: f64, scores: &mut [f64]) {
        let postings = self.postings_of(place);
        let chunks = scores.len() as f64;
        let mean = (self.total as f64 / chunks).max(1.0);
        let holding = postings.len() as f64;
        // Rarity of the word.
        let seldom = (1.0 + (chunks - holding + 0.5) / (holding + 0.5)).ln();
        for Posting { chunk, times } in postings {
            let (chunk, times) = (*chunk as usize, f64::from(*times));
            let long = 1.0 - B + B * f64::from(self.lengths[chunk]) / mean;
            scores[chunk] += worth * seldom * times * (K1 + 1.0) / (times + K1 * long);
        }
    }

    /// The word itself, else words with the same beginning, so that a plural finds its singular and
    /// the reverse.
    fn standing_for(&self, word: &str) -> Vec<(usize, f64)> {
        let place = self.first_from(word);
        if self.entries.get(place).is_some_and(|entry| self.word(entry) == word) {
            return vec![(place, 1.0)];
        }
        let letters = word.chars().count();
        let fewest = if word.chars().all(is_unspaced) { letters } else { KIN_LETTERS };
        for shared in (letters.saturating_sub(ENDING).max(fewest)..=letters).rev() {
            let beginning = &word[..word.char_indices().nth(shared).map_or(word.len(), |(at, _)| at)];
            let kin = (self.first_from(beginning)..self.entries.len())
                .take_while(|place| self.word(&self.entries[*place]).starts_with(beginning))
                .map(|place| (place, KIN_WORTH));
            let kin: Vec<(usize, f64)> = kin.take(KIN).collect();
            if !kin.is_empty() {
                return kin;
            }
        }
        Vec::new()
    }

    /// The position of the first word that does not sort before this one.
    fn first_from(&self, word: &str) -> usize {
        self.entries.partition_point(|entry| self.word(entry) < word)
    }

    fn word(&self, entry: &Entry) -> &str {
        &self.letters[entry.letters as usize..][..entry.length as usize]
    }

    fn postings_of(&self, place: usize) -> &[Posting] {
        let first = self.entries[place].postings as usize;
        let end = self.entries.get(place + 1).map_or(self.postings.len(), |next| next.postings as usize);
        &self.postings[first..end]
    }
}

/// Calls `found` for each word in lower case without accents. Scripts without spaces are read in
/// pairs of letters.
fn each_word(text: &str, found: &mut impl FnMut(&str)) {
    let mut word = String::new();
    let mut letters = 0;
    // The last letter of a run without spaces, and whether it is part of a pair.
    let mut run: Option<(char, bool)> = None;
    for letter in text.chars() {
        if is_unspaced(letter) {
            flush(&mut word, &mut letters, found);
            if let Some((before, _)) = run {
                word.extend([before, letter]);
                flush(&mut word, &mut letters, found);
            }
            run = Some((letter, run.is_some()));
            continue;
        }
        if is_nothing(letter) {
            continue;
        }
        if let Some((alone, false)) = run.take() {
            word.push(alone);
            flush(&mut word, &mut letters, found);
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter.to_ascii_lowercase());
        } else if !letter.is_ascii() && (letter.is_alphanumeric() || is_combining_mark(letter)) {
            letter.to_lowercase().for_each(|letter| fold(letter, &mut word));
        } else {
            flush(&mut word, &mut letters, found);
            continue;
        }
        letters += 1;
        if letters == LETTERS {
            flush(&mut word, &mut letters, found);
        }
    }
    if let Some((alone, false)) = run {
        word.push(alone);
    }
    flush(&mut word, &mut letters, found);
}

fn flush(word: &mut String, letters: &mut usize, found: &mut impl FnMut(&str)) {
    if !word.is_empty() {
        found(word);
    }
    word.clear();
    *letters = 0;
}

/// Appends a lower-case letter without accents. Letters with a stroke and ligatures are spelled as
/// they are typed.
fn fold(letter: char, word: &mut String) {
    decompose_compatible(letter, |letter| match letter {
        'ß' => word.push_str("ss"),
        'æ' => word.push_str("ae"),
        'œ' => word.push_str("oe"),
        'ø' => word.push('o'),
        'ł' => word.push('l'),
        'đ' | 'ð' => word.push('d'),
        'ı' => word.push('i'),
        'ς' => word.push('σ'),
        accent if is_accent(accent) => {}
        letter if letter.is_alphanumeric() || is_combining_mark(letter) => word.push(letter),
        _ => {}
    });
}

/// Marks that readers leave out: accents, and the vowel points of Hebrew and Arabic. Vowel signs of
/// other scripts are letters.
const fn is_accent(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{652}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Invisible within a word: soft hyphens, zero-width spaces and joiners.
const fn is_nothing(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Thai, Lao, Myanmar, Khmer, kana, Han and Hangul.
const fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e81}'..='\u{edf}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17d3}'
        | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each_word(text, &mut |word| words.push(word.to_owned()));
        words
    }

    fn best(chunks: &[&str], query: &str) -> Vec<usize> {
        Words::of(chunks.iter().copied()).best(query, 10)
    }

    #[test]
    fn case_accents_and_typography_do_not_count() {
        for (written, read) in [
            ("Devolución DEVOLUCION devolucio\u{301}n", vec!["devolucion"; 3]),
            ("São SAO", vec!["sao"; 2]),
            ("Straße STRASSE", vec!["strasse"; 2]),
            ("ﬁnal ＦＩＮＡＬ", vec!["final"; 2]),
            ("ŁÓDŹ łódź lodz", vec!["lodz"; 3]),
            ("Ølen cœur", vec!["olen", "coeur"]),
            ("ΟΔΟΣ οδός", vec!["οδοσ"; 2]),
            ("İstanbul ISTANBUL", vec!["istanbul"; 2]),
            ("re\u{ad}fund re\u{200b}fund", vec!["refund"; 2]),
            ("l'hôtel, 24/7: A4-size (x_1)", vec!["l", "hotel", "24", "7", "a4", "size", "x", "1"]),
            ("مُحَمَّد محمد", vec!["محمد"; 2]),
            ("", vec![]),
            (" \n—🦜\0", vec![]),
        ] {
            assert_eq!(words(written), read, "{written}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        assert_eq!(words("退款政策"), ["退款", "款政", "政策"]);
        assert_eq!(words("猫 です。A案"), ["猫", "です", "a", "案"]);
        assert_eq!(words("환불은"), ["환불", "불은"]);
        assert_eq!(best(&["配送时间", "退款政策在这里"], "退款"), [1]);
        assert_eq!(best(&["犬がいます", "猫がいます"], "猫"), [1]);
    }

    #[test]
    fn overlong_word_is_split() {
        let long = words(&"a".repeat(100));
        assert_eq!(long.iter().map(String::len).collect::<Vec<_>>(), [40, 40, 20]);
        assert_eq!(words(&"é".repeat(41)).len(), 2);
    }

    #[test]
    fn rarer_words_weigh_more_and_repetition_saturates() {
        let chunks = ["the shop is open", "the refund is slow", "the the the the the the", "refund refund is the word"];
        assert_eq!(best(&chunks, "the refund"), [3, 1, 2, 0]);
        assert_eq!(best(&chunks, "OPEN?"), [0]);
        assert_eq!(best(&chunks, "nothing of it"), Vec::<usize>::new());
        assert_eq!(best(&chunks, " "), Vec::<usize>::new());
        // A long chunk that has it once stands behind a short one, and of equals the first comes first.
        let long = format!("refund {}", "other words ".repeat(50));
        assert_eq!(best(&[&long, "refund now", "refund now"], "refund"), [1, 2, 0]);
    }

    #[test]
    fn missing_word_is_matched_by_prefix() {
        let chunks = ["We refund all.", "Deliveries take a day.", "Devolución en tienda.", "cart"];
        assert_eq!(best(&chunks, "refunds"), [0]);
        assert_eq!(best(&chunks, "delivery"), Vec::<usize>::from([1]));
        assert_eq!(best(&chunks, "devoluciones"), [2]);
        // Too little in common, and one that is there stands for itself.
        assert_eq!(best(&chunks, "carpet"), Vec::<usize>::new());
        assert_eq!(best(&["refund", "refunds"], "refund"), [0]);
    }

    #[test]
    fn the_same_text_is_read_the_same_way_every_time() {
        let text: String = (0..500).map(|number| format!("w{} ", number * number % 97)).collect();
        let read = || format!("{:?}", Words::of([text.as_str(), "w1 w2"].into_iter()));
        assert_eq!(read(), read());
    }

    #[test]
    fn long_query_is_truncated() {
        let query: String = (0..100_000).map(|number| format!("w{number} ")).collect();
        assert_eq!(best(&["w1", "w99999"], &query), [0]);
    }
}
