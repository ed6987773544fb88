//! Cuts, folds and splits texts. Everything that compares words uses these functions.

/// Words of a text, folded, each with the number of its clause.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) list: Vec<String>,
    pub(crate) clause: Vec<usize>,
}

/// The last characters of a text, without reading the rest of it.
pub(crate) fn tail(text: &str, characters: usize) -> &str {
    match text.char_indices().rev().nth(characters.saturating_sub(1)) {
        Some((start, _)) => &text[start..],
        None => text,
    }
}

/// The first characters of a text, without reading the rest of it.
pub(crate) fn head(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Splits a text into folded words. Apostrophes are dropped (`don't` is `dont`), `order_status` is
/// two words.
pub(crate) fn words(text: &str) -> Words {
    let mut words = Words::default();
    let (mut word, mut clause, mut lower_before) = (String::new(), 0, false);
    for character in text.chars().chain([' ']) {
        let starts_word = character.is_uppercase() && lower_before;
        if (starts_word || !(character.is_alphanumeric() || matches!(character, '\'' | '’'))) && !word.is_empty() {
            words.list.push(fold(&word));
            words.clause.push(clause);
            word.clear();
        }
        lower_before = character.is_lowercase();
        if character.is_alphanumeric() {
            word.push(character);
        } else if ",.;:!?¿¡\n()…—–".contains(character) {
            clause += 1;
        }
    }
    words
}

/// Lower case without accents, so that `Está` and `esta` are one word.
pub(crate) fn fold(text: &str) -> String {
    let plain = |character: char| match character {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

/// Cuts common endings, so that forms of one word compare equal. Keeps at least four letters.
pub(crate) fn stem(word: &str) -> &str {
    const ENDINGS: &str = "aciones acion acoes acao ciones cion coes cao mente iendo ando endo ings ing ados adas idos \
        idas ado ada ido ida ed es ar er ir os as s o a e";
    let cut = ENDINGS.split(' ').filter_map(|ending| word.strip_suffix(ending));
    cut.into_iter().find(|rest| rest.chars().count() >= 4).unwrap_or(word)
}

/// True if a folded word stands in a list of words with spaces between them.
pub(crate) fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

pub(crate) fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_lowercase().chain(characters).collect())
}
