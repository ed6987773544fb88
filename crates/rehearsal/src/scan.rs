//! Finds typed values in a text of the contact: addresses, dates, names, numbers, codes.
//!
//! Values come back as written. A token that one value has used is blank for the next, so that "2
//! people, order 1042" gives each number once.

use crate::text::{fold, is_in};

const MONTHS: &str = "january february march april may june july august september october november december enero \
    febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre janeiro fevereiro marco \
    maio junho julho setembro outubro novembro dezembro";
const DAYS: &str = "today tomorrow monday tuesday wednesday thursday friday saturday sunday hoy manana lunes martes \
    miercoles jueves viernes sabado domingo hoje amanha segunda-feira terca-feira quarta-feira quinta-feira sexta-feira";
/// Weekdays in Portuguese only after "na", "próxima" or alone: "segunda via" is a second copy.
const SHORT_DAYS: &str = "segunda terca quarta quinta sexta";
/// After a number: it counts something.
const UNITS: &str = "day days week weeks month months year years hour hours minutes times people persons items dia dias \
    semana semanas mes meses ano anos hora horas minutos veces vezes personas pessoas euros dollars pesos reais am pm h hs";
/// At the end of a number's token.
const UNIT_ENDINGS: &str = "am pm h hs st nd rd th";
/// A name follows.
const NAME_LEADS: [&str; 9] =
    ["name is", "me llamo", "nombre es", "se llama", "me chamo", "nome e", "name", "nombre", "nome"];
/// Begin many sentences: a name follows only with a capital letter.
const WEAK_NAME_LEADS: [&str; 7] = ["i am", "im", "i'm", "i’m", "soy", "sou", "aqui e"];

#[derive(Debug)]
pub(crate) struct Scan<'a>(Vec<Token<'a>>);

#[derive(Debug, Default)]
struct Token<'a> {
    /// Without punctuation around it.
    raw: &'a str,
    folded: String,
    /// True if a clause ends after it.
    ends: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let punctuation = |character: char| !character.is_alphanumeric() && !matches!(character, '+' | '@');
        let mut tokens = Vec::new();
        for line in text.lines() {
            tokens.extend(line.split_whitespace().map(|word| {
                let raw = word.trim_matches(punctuation);
                Token { raw, folded: fold(raw), ends: word.ends_with([',', '.', ';', '!', '?', ':', ')']) }
            }));
            if let Some(last) = tokens.last_mut() {
                last.ends = true;
            }
        }
        Self(tokens)
    }

    fn take(&mut self, from: usize, to: usize) -> String {
        let taken: Vec<&str> = self.0[from..to].iter_mut().map(|token| std::mem::take(token).raw).collect();
        taken.join(" ")
    }

    /// The folded token at an index; empty outside of the text.
    fn word(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |token| token.folded.as_str())
    }

    fn before(&self, index: usize) -> &str {
        index.checked_sub(1).map_or("", |index| self.word(index))
    }

    fn find(&self, fits: impl Fn(usize, &str) -> bool) -> Option<usize> {
        (0..self.0.len()).find(|index| !self.word(*index).is_empty() && fits(*index, self.word(*index)))
    }

    pub(crate) fn email(&mut self) -> Option<String> {
        let at = self.find(|_, word| {
            word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.trim_matches('.').contains('.'))
        })?;
        Some(self.take(at, at + 1))
    }

    pub(crate) fn date(&mut self) -> Option<String> {
        let (from, to) = (0..self.0.len()).find_map(|at| self.date_at(at))?;
        Some(self.take(from, to))
    }

    /// The tokens of the date whose weekday, month or digits stand at an index.
    fn date_at(&self, at: usize) -> Option<(usize, usize)> {
        let (word, before) = (self.word(at), self.before(at));
        if is_numeric_date(word) {
            return Some((at, at + 1));
        }
        // "Mañana" is tomorrow, "por la mañana" is not.
        let is_short_day = is_in(SHORT_DAYS, word) && (is_in("na proxima para pra", before) || self.0.len() == 1);
        if is_short_day || (is_in(DAYS, word) && !(word == "manana" && before == "la")) {
            return Some((at - usize::from(is_in("next this proximo proxima este pasado", before)), at + 1));
        }
        if !is_in(MONTHS, word) {
            return None;
        }
        // "12 de mayo de 2026", "12 May", "May 12".
        let is_year = |index: usize| self.word(index).len() == 4 && self.word(index).parse::<u16>().is_ok();
        let joined = usize::from(is_in("de of", before));
        let (from, mut to) = match at.checked_sub(1 + joined).filter(|day| self.is_day(*day)) {
            Some(day) => (day, at + 1),
            None if self.is_day(at + 1) => (at, at + 2),
            None => return None,
        };
        let joined = usize::from(is_in("de del", self.word(to)));
        to += if is_year(to + joined) { joined + 1 } else { 0 };
        Some((from, to))
    }

    fn is_day(&self, index: usize) -> bool {
        let word = self.word(index);
        let digits = word.trim_end_matches(char::is_alphabetic);
        digits.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)) && word.len() <= digits.len() + 2
    }

    /// An identifier: holds a digit and is no date, time, phone number or quantity.
    pub(crate) fn code(&mut self) -> Option<String> {
        let fits = |index: usize, word: &str| {
            word.contains(|c: char| c.is_ascii_digit())
                && word.chars().all(|c| c.is_alphanumeric() || "-_/.".contains(c))
                && self.is_free_number(index)
        };
        let named = |index: usize| is_in("number numero num nro no n code codigo id order pedido", self.before(index));
        let at = self.find(|index, word| fits(index, word) && named(index));
        let at = at.or_else(|| (0..self.0.len()).rfind(|index| fits(*index, self.word(*index))))?;
        Some(self.take(at, at + 1))
    }

    /// True unless the number belongs to a date, a time, a quantity or a phone number.
    fn is_free_number(&self, index: usize) -> bool {
        let word = self.word(index);
        let ending = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_amount = ending.len() < word.len()
            && (is_in(UNIT_ENDINGS, ending) || ending.strip_prefix('h').is_some_and(|rest| rest.parse::<u8>().is_ok()));
        let next = self.word(index + 1 + usize::from(self.word(index + 1) == "de"));
        !is_amount && !is_numeric_date(word) && !word.starts_with('+') && !is_in(UNITS, next) && !is_in(MONTHS, next)
    }

    /// A number; one that counts the thing asked for comes first.
    pub(crate) fn number(&mut self, counts: impl Fn(&str) -> bool) -> Option<String> {
        let is_number = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_digit()) && word.replace(',', ".").parse::<f64>().is_ok()
        };
        let at = self
            .find(|index, word| is_number(word) && counts(self.word(index + 1)))
            .or_else(|| self.find(|index, word| is_number(word) && self.is_free_number(index)))?;
        Some(self.take(at, at + 1).replace(',', "."))
    }

    /// A name after "my name is", "soy", "me chamo" and the like.
    pub(crate) fn name(&mut self) -> Option<String> {
        let strong = NAME_LEADS.iter().map(|lead| (*lead, false));
        let weak = WEAK_NAME_LEADS.iter().map(|lead| (*lead, true));
        let (from, to) = strong.chain(weak).find_map(|(lead, capital)| {
            let length = lead.split(' ').count();
            let stands = |start: &usize| lead.split(' ').enumerate().all(|(at, word)| self.word(start + at) == word);
            self.name_at((0..self.0.len()).find(stands)? + length, capital)
        })?;
        Some(self.take(from, to))
    }

    /// One word, or as many as have capital letters.
    fn name_at(&self, from: usize, capital: bool) -> Option<(usize, usize)> {
        let is_upper = |token: &Token| token.raw.starts_with(char::is_uppercase);
        let is_name = |token: &Token| token.raw.chars().all(|c| c.is_alphabetic() || "-'’.".contains(c));
        let first = self.0.get(from).filter(|token| !token.raw.is_empty() && is_name(token))?;
        if !is_upper(first) && (capital || is_in("is es e not no nao", &first.folded)) {
            return None;
        }
        let particle = |token: &Token| is_in("de da do dos del la", &token.folded);
        let mut to = from + 1;
        while let Some(token) = self.0.get(to)
            && is_upper(first)
            && !self.0[to - 1].ends
            && to < from + 6
            && is_name(token)
            && (is_upper(token) || particle(token))
        {
            to += 1;
        }
        while to > from + 1 && particle(&self.0[to - 1]) {
            to -= 1;
        }
        Some((from, to))
    }
}

/// `2026-05-12`, `12/05/26`, `12/05`.
fn is_numeric_date(token: &str) -> bool {
    let separated = |separator: char| {
        let parts: Vec<u16> = token.split(separator).map_while(|part| part.parse().ok()).collect();
        let day_or_month = |value: &u16| (1..=31).contains(value);
        let fits = match parts.as_slice() {
            [year, rest @ ..] if *year >= 1_000 => rest.len() == 2 && rest.iter().all(day_or_month),
            [day, month, _year] => [day, month].into_iter().all(day_or_month),
            [day, month] => separator == '/' && [day, month].into_iter().all(day_or_month),
            _ => false,
        };
        fits && token.split(separator).count() == parts.len()
    };
    ['-', '/', '.'].into_iter().any(separated)
}
