//! "Contains this text, in any case", the same on both engines: names are stored in lower case beside themselves, because
//! the engines' own folding knows different alphabets.

/// The text as it is searched in.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The `LIKE … ESCAPE '\'` pattern of what contains a text.
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
