//! Case-insensitive substring search, equal on both engines. Names are also stored in lower case,
//! because the engines fold different alphabets.

pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// A `LIKE … ESCAPE '\'` pattern.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in folded(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_patterns_stand_for_themselves() {
        assert_eq!(containing("50%_É\\"), "%50\\%\\_é\\\\%");
    }
}
