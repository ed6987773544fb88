//! Finds typed values in a person's text: numbers, dates, times, addresses, names.
//!
//! Values come back as written. A token that one value has used is gone for the next, so that `2` in "2 people, order
//! 1042" is not taken twice; ambiguous tokens (a date, a quantity) are no order numbers.

use super::lexicon::fold;
use super::shapes::{DAYS, MONTHS, SMALL_NUMBERS, UNITS, is_numeric_date, is_time};

/// A text in tokens, with those already used up.
#[derive(Debug, Default)]
pub(super) struct Scan<'a> {
    tokens: Vec<Token<'a>>,
}

#[derive(Debug)]
struct Token<'a> {
    /// Without punctuation around it.
    raw: &'a str,
    folded: String,
    /// Whether a clause ends after it.
    ends: bool,
    used: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let punctuation = |character: char| !character.is_alphanumeric() && !matches!(character, '+' | '@');
        let tokens = text
            .lines()
            .flat_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let last = words.len().saturating_sub(1);
                words.into_iter().enumerate().map(move |(index, word)| (word, index == last)).collect::<Vec<_>>()
            })
            .map(|(word, last)| {
                let raw = word.trim_matches(punctuation);
                let ends = last || word.ends_with([',', '.', ';', '!', '?', ':', ')']);
                Token { raw, folded: fold(raw), ends, used: raw.is_empty() }
            })
            .collect();
        Self { tokens }
    }

    fn take(&mut self, from: usize, to: usize) -> String {
        let mut parts = Vec::new();
        for token in &mut self.tokens[from..to] {
            token.used = true;
            parts.push(token.raw);
        }
        parts.join(" ")
    }

    fn folded(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.folded.as_str())
    }

    fn find(&self, fits: impl Fn(usize, &Token<'a>) -> bool) -> Option<usize> {
        (0..self.tokens.len()).find(|index| !self.tokens[*index].used && fits(*index, &self.tokens[*index]))
    }

    pub(super) fn email(&mut self) -> Option<String> {
        let at = self.find(|_, token| {
            token.raw.split_once('@').is_some_and(|(name, host)| {
                let (front, end) = host.rsplit_once('.').unwrap_or(("", ""));
                !name.is_empty() && !front.is_empty() && end.len() >= 2 && !host.contains('@')
            })
        })?;
        Some(self.take(at, at + 1))
    }

    pub(super) fn phone(&mut self) -> Option<String> {
        let digits = |token: &Token| token.raw.chars().filter(char::is_ascii_digit).count();
        let plain = |token: &Token| {
            token.raw.chars().all(|character| character.is_ascii_digit() || "+-().".contains(character))
        };
        let from = self.find(|_, token| plain(token) && digits(token) > 0)?;
        let mut to = from;
        let mut count = 0;
        while let Some(token) = self.tokens.get(to).filter(|token| plain(token) && !token.used) {
            count += digits(token);
            to += 1;
            if token.ends {
                break;
            }
        }
        (count >= 7).then(|| self.take(from, to))
    }

    pub(super) fn date(&mut self) -> Option<String> {
        if let Some(at) = self.find(|_, token| is_numeric_date(token.raw)) {
            return Some(self.take(at, at + 1));
        }
        if let Some(at) = self.find(|index, token| {
            MONTHS.contains(&token.folded.as_str())
                && (self.near_day(index + 1) || (index > 0 && (self.near_day(index - 1) || self.day_of(index))))
        }) {
            return Some(self.take_month(at));
        }
        let at = self.find(|index, token| {
            let after_article = index > 0 && matches!(self.folded(index - 1), "la" | "esta");
            let tomorrow = token.folded == "manana" && !after_article;
            // "Segunda" and its sisters are weekdays only after "na", "next" or alone.
            let ordinal = matches!(token.folded.as_str(), "segunda" | "terca" | "quarta" | "quinta" | "sexta");
            let alone = self.tokens.len() == 1;
            let said = index > 0 && matches!(self.folded(index - 1), "na" | "proxima" | "a" | "pra" | "para");
            tomorrow || (DAYS.contains(&token.folded.as_str()) && (!ordinal || alone || said))
        })?;
        let previous = at.checked_sub(1).map_or("", |before| self.folded(before));
        let wide = matches!(previous, "pasado" | "next" | "proximo" | "proxima" | "this" | "este");
        let from = if wide { at - 1 } else { at };
        Some(self.take(from, at + 1))
    }

    /// "12 de mayo de 2026", "May 12".
    fn take_month(&mut self, month: usize) -> String {
        let mut from = month;
        if month > 0 && self.near_day(month - 1) {
            from = month - 1;
        } else if self.day_of(month) {
            from = month - 2;
        }
        let mut to = month + 1;
        if from == month && self.near_day(to) {
            to += 1;
        }
        let year = |index: usize| {
            let token = self.folded(index);
            token.len() == 4 && token.starts_with("20") && token.bytes().all(|byte| byte.is_ascii_digit())
        };
        if year(to) {
            to += 1;
        } else if matches!(self.folded(to), "de" | "del") && year(to + 1) {
            to += 2;
        }
        self.take(from, to)
    }

    fn day_of(&self, month: usize) -> bool {
        month >= 2 && matches!(self.folded(month - 1), "de" | "of") && self.near_day(month - 2)
    }

    fn near_day(&self, index: usize) -> bool {
        let digits: String = self.folded(index).chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)) && self.folded(index).len() <= 4
    }

    pub(super) fn time(&mut self) -> Option<String> {
        if let Some(at) = self.find(|_, token| is_time(&token.folded)) {
            let half = matches!(self.folded(at + 1), "am" | "pm" | "h" | "hs");
            return Some(self.take(at, at + 1 + usize::from(half)));
        }
        let hour = |index: usize| self.folded(index).parse::<u8>().is_ok_and(|hour| hour < 24);
        if let Some(at) =
            self.find(|index, _| hour(index) && matches!(self.folded(index + 1), "am" | "pm" | "h" | "hs" | "horas"))
        {
            return Some(self.take(at, at + 2));
        }
        let at = self.find(|index, _| {
            let led = index > 0 && matches!(self.folded(index - 1), "at" | "las" | "as" | "la");
            hour(index) && led && !MONTHS.contains(&self.folded(index + 1)) && self.folded(index + 1) != "de"
        })?;
        Some(self.take(at, at + 1))
    }

    /// An identifier: holds a digit and is no date, time, phone number or quantity.
    pub(super) fn code(&mut self) -> Option<String> {
        let fits = |index: usize, token: &Token| {
            let shaped = token.raw.chars().all(|character| character.is_alphanumeric() || "-_/.".contains(character));
            shaped && token.raw.chars().any(|character| character.is_ascii_digit()) && self.is_free_number(index)
        };
        let named = |index: usize| {
            let before = index.checked_sub(1).map_or("", |before| self.folded(before));
            matches!(
                before,
                "number" | "numero" | "num" | "nro" | "no" | "n" | "code" | "codigo" | "id" | "order" | "pedido"
            )
        };
        let at = self.find(|index, token| fits(index, token) && named(index)).or_else(|| {
            (0..self.tokens.len()).rfind(|index| {
                let token = &self.tokens[*index];
                !token.used && fits(*index, token)
            })
        })?;
        Some(self.take(at, at + 1))
    }

    fn is_free_number(&self, index: usize) -> bool {
        let month = if self.folded(index + 1) == "de" { index + 2 } else { index + 1 };
        let token = &self.tokens[index];
        !is_numeric_date(token.raw)
            && !is_time(&token.folded)
            && !UNITS.contains(&self.folded(index + 1))
            && !MONTHS.contains(&self.folded(month))
            && !token.raw.starts_with('+')
            && !["st", "nd", "rd", "th"].iter().any(|ending| {
                token.folded.strip_suffix(ending).is_some_and(|front| front.bytes().all(|byte| byte.is_ascii_digit()))
            })
    }

    /// A whole number; one that counts the thing asked for comes first.
    pub(super) fn integer(&mut self, counts: impl Fn(&str) -> bool) -> Option<i64> {
        let value = |token: &Token| {
            let digits = token.raw.parse::<i64>().ok().filter(|_| !token.raw.starts_with('+'));
            digits.or_else(|| SMALL_NUMBERS.iter().find(|(word, _)| *word == token.folded).map(|(_, value)| *value))
        };
        let at = self
            .find(|index, token| value(token).is_some() && counts(self.folded(index + 1)))
            .or_else(|| self.find(|index, token| token.raw.parse::<i64>().is_ok() && self.is_free_number(index)))
            .or_else(|| self.find(|index, token| value(token).is_some() && self.is_free_number(index)))?;
        let found = value(&self.tokens[at]);
        self.take(at, at + 1);
        found
    }

    pub(super) fn number(&mut self) -> Option<f64> {
        let value = |token: &Token| token.raw.replace(',', ".").parse::<f64>().ok().filter(|value| value.is_finite());
        let at = self
            .find(|_, token| value(token).is_some() && token.raw.starts_with(|first: char| first.is_ascii_digit()))?;
        let found = value(&self.tokens[at]);
        self.take(at, at + 1);
        found
    }

    /// A name after "my name is", "soy", "me chamo" and the like.
    pub(super) fn name(&mut self) -> Option<String> {
        // "I am" and "soy" begin many sentences: there a name needs its capital letter.
        const SURE: &[&str] = &[
            "my name is",
            "name is",
            "me llamo",
            "mi nombre es",
            "nombre es",
            "se llama",
            "se chama",
            "is called",
            "me chamo",
            "meu nome e",
            "nome e",
            "name",
            "nombre",
            "nome",
        ];
        const MAYBE: &[&str] =
            &["i am", "im", "i'm", "i’m", "this is", "soy", "sou", "sou o", "sou a", "aqui e", "eu sou"];
        for (leads, capital) in [(SURE, false), (MAYBE, true)] {
            for lead in leads {
                if let Some(from) = self.after(lead)
                    && let Some(name) = self.name_at(from, capital)
                {
                    return Some(name);
                }
            }
        }
        None
    }

    fn after(&self, lead: &str) -> Option<usize> {
        let length = lead.split(' ').count();
        (0..self.tokens.len())
            .find(|start| lead.split(' ').enumerate().all(|(offset, word)| self.folded(start + offset) == word))
            .map(|start| start + length)
    }

    fn name_at(&mut self, from: usize, capital: bool) -> Option<String> {
        let first = self.tokens.get(from)?;
        let upper = |token: &Token| token.raw.starts_with(char::is_uppercase);
        let letters = |token: &Token| !token.used && token.raw.chars().all(|c| c.is_alphabetic() || "-'’.".contains(c));
        let is_name = letters(first) && (upper(first) || !capital) && !first.raw.is_empty();
        if !is_name || matches!(first.folded.as_str(), "is" | "es" | "e" | "not" | "no" | "nao") {
            return None;
        }
        let cased = upper(first);
        let mut to = from + 1;
        while let Some(token) = self.tokens.get(to)
            && !self.tokens[to - 1].ends
            && to - from < 6
            && letters(token)
        {
            let particle = matches!(token.folded.as_str(), "de" | "da" | "do" | "dos" | "del" | "la");
            let continues = if cased { upper(token) || particle } else { to - from < 2 && !is_joint(&token.folded) };
            if !continues {
                break;
            }
            to += 1;
        }
        while to - from > 1 && matches!(self.folded(to - 1), "de" | "da" | "do" | "dos" | "del" | "la") {
            to -= 1;
        }
        Some(self.take(from, to))
    }
}

fn is_joint(word: &str) -> bool {
    matches!(
        word,
        "and" | "y" | "e" | "but" | "pero" | "mas" | "my" | "mi" | "meu" | "minha" | "i" | "quiero" | "quero"
    )
}
