//! Numbers of JSON that a 64-bit number cannot hold, such as order numbers of 25 digits.
//!
//! A parsed value would round them. Arguments that hold one stay text (`chat::ToolCall`), and where
//! a request is built they are strings with a mark, which becomes the number again in the request's
//! bytes. `serde_json` has a feature for exact numbers, but it breaks enums with a tag, which the
//! journal is made of.

use serde::de::IgnoredAny;
use serde_json::Number;
use std::ops::Range;

/// Begins a string that stands for a number. A private-use character, which no text of people has.
const MARK: &str = "\u{E000}number:";

/// True if a JSON text has a number that parsing would change.
pub fn loses_digits(text: &str) -> bool {
    tokens(text).any(|range| changes(&text[range]))
}

/// The text with a marked string for each number that parsing would change; `None` if there is none.
pub fn marked(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut place = 0;
    for range in tokens(text).filter(|range| changes(&text[range.clone()])) {
        out.push_str(&text[place..range.start]);
        out.push_str(&quoted(&text[range.clone()]));
        place = range.end;
    }
    (place > 0).then(|| out + &text[place..])
}

/// The string that stands for a number with all its digits.
pub fn mark(number: &str) -> String {
    format!("{MARK}{number}")
}

/// The digits behind a mark.
pub fn digits(text: &str) -> Option<&str> {
    text.strip_prefix(MARK).filter(|number| is_number(number))
}

/// JSON text with its marked strings as numbers.
pub fn unmarked(json: String) -> String {
    let open = format!("\"{MARK}");
    if !json.contains(&open) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some((before, after)) = rest.split_once(&open) {
        out.push_str(before);
        match after.split_once('"').filter(|(number, _)| is_number(number)) {
            Some((number, after)) => {
                out.push_str(number);
                rest = after;
            }
            None => {
                out.push_str(&open);
                rest = after;
            }
        }
    }
    out + rest
}

fn quoted(number: &str) -> String {
    format!("\"{MARK}{number}\"")
}

/// Numbers of a JSON text, outside of strings.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let (mut at, mut in_string) = (0, false);
    std::iter::from_fn(move || {
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if in_string => at += 1,
                b'"' => in_string = !in_string,
                b'-' | b'0'..=b'9' if !in_string => {
                    let start = at;
                    let of_number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    at += bytes[at..].iter().take_while(|byte| of_number(byte)).count();
                    return Some(start..at);
                }
                _ => {}
            }
            at += 1;
        }
        None
    })
}

fn is_number(text: &str) -> bool {
    let mut all = tokens(text);
    all.next() == Some(0..text.len()) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn changes(number: &str) -> bool {
    // Short numbers are exact.
    if number.len() <= 15 && !number.contains(['e', 'E']) {
        return false;
    }
    match serde_json::from_str::<Number>(number) {
        Ok(parsed) => decimal(number) != decimal(&parsed.to_string()),
        Err(_) => true,
    }
}

/// Sign, digits without zeros at the ends, and exponent.
fn decimal(number: &str) -> (bool, String, i64) {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let shorter = digits.trim_end_matches('0');
    let exponent = exponent.trim_start_matches('+').parse::<i64>().unwrap_or(i64::MAX / 2);
    let dropped = digits.len() as i64 - shorter.len() as i64 - fraction.len() as i64;
    match shorter.trim_start_matches('0') {
        "" => (false, String::new(), 0),
        digits => (negative, digits.to_owned(), exponent.saturating_add(dropped)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_would_change_are_marked() {
        for exact in
            ["{\"a\":1}", "[1.50, -0, 1e3, 18446744073709551615, 0.1]", "\"12345678901234567890123\"", "[1.10]"]
        {
            assert!(!loses_digits(exact), "{exact}");
            assert_eq!(marked(exact), None);
        }
        for text in [
            "{\"id\":12345678901234567890123}",
            "[-9223372036854775809]",
            "{\"x\":{\"y\":[1,0.12345678901234567890]}}",
            "[1.0000000000000000001]",
        ] {
            assert!(loses_digits(text), "{text}");
            let marked = marked(text).unwrap();
            let value: serde_json::Value = serde_json::from_str(&marked).unwrap();
            assert_eq!(unmarked(value.to_string()), text, "all digits are back");
        }
    }

    #[test]
    fn marks_of_other_texts_stay() {
        let text = format!("[\"{MARK}1,\\\"x\\\":2\",\"{MARK}\",\"{MARK}x\"]");
        assert_eq!(unmarked(text.clone()), text);
        assert_eq!(digits(&mark("12")), Some("12"));
        assert_eq!(digits(&mark("12 ")), None);
    }
}
