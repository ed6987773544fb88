//! Words and reasoning of a text while it is read.

/// Words and reasoning of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Separated {
    /// Trimmed; possibly empty.
    pub said: String,
    /// In order; none is blank.
    pub private: Vec<String>,
}

impl Separated {
    /// Keeps a text as private, unless it is blank.
    pub(super) fn hide(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.private.push(text.to_owned());
        }
    }
}
