//! Phone numbers as WhatsApp uses them.
//! One person's number can be written in several ways in Brazil, Mexico and Argentina. `digits` is
//! the number as written, `canonical` the one spelling that contacts are looked up by. No country
//! is guessed: a number without country code is taken as it is.

/// A number with its country code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    digits: String,
    canonical: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Only spaces and signs.
    #[error("a phone number is missing")]
    Empty,
    /// Letters, as in a business-scoped user id, or digits of another script.
    #[error("a phone number holds no letters; write digits with the country code, e.g. +5511961234567")]
    Letters,
    #[error("too short for a phone number; write it with the country code")]
    TooShort,
    #[error("too long for a phone number; at most 15 digits")]
    TooLong,
    #[error("a phone number with country code does not begin with 0")]
    LeadingZero,
}

/// Country codes, and area codes of +1, where Spanish is spoken.
const SPANISH: [&str; 24] = [
    "34", "51", "52", "53", "54", "56", "57", "58", "591", "593", "595", "598", "502", "503", "504", "505", "506",
    "507", "240", "1809", "1829", "1849", "1787", "1939",
];

/// Reads a number as people write it: signs, spaces and the international prefix `00` are dropped.
pub fn normalise(input: &str) -> Result<Phone, PhoneError> {
    let input = input.trim();
    if input.chars().any(|c| c.is_alphanumeric() && !c.is_ascii_digit()) {
        return Err(PhoneError::Letters);
    }
    let all: String = input.chars().filter(char::is_ascii_digit).collect();
    let digits = if input.starts_with('+') { all.as_str() } else { all.strip_prefix("00").unwrap_or(&all) };
    match digits.len() {
        0 => Err(PhoneError::Empty),
        _ if digits.starts_with('0') => Err(PhoneError::LeadingZero),
        1..7 => Err(PhoneError::TooShort),
        16.. => Err(PhoneError::TooLong),
        _ => Ok(Phone { canonical: canonical(digits), digits: digits.to_owned() }),
    }
}

/// The spelling in which stored numbers are compared. A text that is no number stays unchanged and
/// equals none.
pub fn comparable(input: &str) -> String {
    normalise(input).map_or_else(|_| input.into(), |phone| phone.e164())
}

impl Phone {
    /// The digits as written; used for sending unless WhatsApp has returned other ones.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// The storage key: equal for every spelling of one number.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// `+` and the digits as written.
    pub fn e164(&self) -> String {
        format!("+{}", self.digits)
    }

    /// The language for answers when nothing else is known: `pt`, `es` or `en`.
    pub fn language(&self) -> &'static str {
        let begins = |code: &&str| self.digits.starts_with(*code);
        if ["55", "351"].iter().any(&begins) {
            "pt"
        } else if SPANISH.iter().any(begins) {
            "es"
        } else {
            "en"
        }
    }
}

fn canonical(digits: &str) -> String {
    let (country, national) = digits.split_at(2);
    match country {
        "55" => brazil(national),
        "52" if national.len() == 11 => national.strip_prefix('1').map(|rest| format!("52{rest}")),
        "54" => argentina(national),
        _ => None,
    }
    .unwrap_or_else(|| digits.to_owned())
}

/// Mobile numbers got a ninth digit, and older accounts lack it; landlines (2 to 5) never had one.
fn brazil(national: &str) -> Option<String> {
    if national.len() != 10 {
        return None;
    }
    let (area, subscriber) = national.split_at(2);
    subscriber.starts_with(['6', '7', '8', '9']).then(|| format!("55{area}9{subscriber}"))
}

/// WhatsApp writes 549 and ten digits; people leave out the 9, or write 15 between area code and
/// number.
fn argentina(national: &str) -> Option<String> {
    let national = if matches!(national.len(), 11 | 13) { national.strip_prefix('9')? } else { national };
    if national.len() == 10 {
        return Some(format!("549{national}"));
    }
    if national.len() != 12 {
        return None;
    }
    // Area codes have two digits (only 11), three or four; a `15` after one of them leaves no other
    // reading.
    let area = if national.starts_with("1115") {
        2
    } else {
        [3, 4].into_iter().find(|at| national[*at..].starts_with("15"))?
    };
    Some(format!("549{}{}", &national[..area], &national[area + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(input: &str) -> String {
        normalise(input).unwrap().canonical
    }

    #[test]
    fn invalid_numbers_report_their_reason() {
        assert_eq!(normalise(" + "), Err(PhoneError::Empty));
        assert_eq!(normalise("٠١٢٣٤٥٦٧٨"), Err(PhoneError::Letters));
        assert_eq!(normalise("0961234567"), Err(PhoneError::LeadingZero));
        assert_eq!(normalise("+0055119612345"), Err(PhoneError::LeadingZero));
        assert_eq!(normalise("123456"), Err(PhoneError::TooShort));
        assert_eq!(normalise("1234567").unwrap().e164(), "+1234567");
        assert_eq!(normalise("1234567890123456"), Err(PhoneError::TooLong));
    }

    #[test]
    fn argentine_15_is_the_same_number() {
        for written in ["54 11 15 5555-0003", "+54 9 11 5555-0003", "541155550003", "+54 9 11 15 5555-0003"] {
            assert_eq!(key(written), "5491155550003", "{written}");
        }
        assert_eq!(key("54 221 15 555-0003"), "5492215550003");
        assert_eq!(key("54 2920 15 55-0003"), "5492920550003");
    }

    #[test]
    fn the_language_follows_the_country() {
        for (number, language) in [
            ("5511999990001", "pt"),
            ("351912345678", "pt"),
            ("525512345678", "es"),
            ("18095550001", "es"),
            ("59899123456", "es"),
            ("15557770002", "en"),
            ("50937012345", "en"),
            ("441632960001", "en"),
        ] {
            assert_eq!(normalise(number).unwrap().language(), language, "{number}");
        }
    }
}
