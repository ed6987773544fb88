//! The first few errors of a value, in plain words and in a fixed order.

use jsonschema::ValidationError;
use std::fmt::{self, Write as _};

/// Problems in one answer, and bytes of each: they quote the value.
const MOST: usize = 10;
const LONGEST: usize = 300;

/// An error at a place of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer.
    pub path: String,
    pub message: String,
}

impl Problem {
    /// Stands for errors that would take too long to list.
    pub(super) fn general() -> Self {
        Self { path: String::new(), message: "the value does not fit the schema".into() }
    }
}

/// Large schemas report in no fixed order, and a replay must read the same: the first by place.
pub(super) fn first<'i>(errors: impl Iterator<Item = ValidationError<'i>>) -> Vec<Problem> {
    let place = |error: &ValidationError<'_>| (error.instance_path().to_string(), error.schema_path().to_string());
    let mut placed: Vec<_> = errors.map(|error| (place(&error), error)).collect();
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    placed.truncate(MOST);
    let problem = |((path, _), error)| Problem { path, message: message(&error) };
    placed.into_iter().map(problem).collect()
}

/// Writes no more of the value than is shown.
fn message(error: &ValidationError<'_>) -> String {
    let mut cut = Cut(String::new());
    let _ = write!(cut, "{error}");
    cut.0
}

struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() + character.len_utf8() > LONGEST {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}
