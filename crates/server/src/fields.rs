//! Takes typed values out of a JSON object and remembers every problem on the way, so that all are told at once.

use crate::ApiError;
use domain::Problem;
use serde_json::{Map, Value};

/// The fields of one object.
pub struct Fields {
    at: &'static str,
    fields: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    /// Fields that stand at the JSON pointer `at` of the body.
    pub const fn new(at: &'static str, fields: Map<String, Value>) -> Self {
        Self { at, fields, problems: Vec::new() }
    }

    /// Notes a problem with a field.
    pub fn problem(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("{}/{field}", self.at), code, message));
    }

    /// Notes problems of a value inside a field.
    pub fn problems_under(&mut self, field: &str, problems: Vec<Problem>) {
        let prefix = format!("{}/{field}", self.at);
        self.problems.extend(problems.into_iter().map(|problem| problem.under(&prefix)));
    }

    /// Whether the field was sent at all.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The field as it was sent.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field)
    }

    /// A text; `None` when absent or null.
    pub fn text(&mut self, field: &str, longest: usize) -> Option<String> {
        match self.take(field)? {
            Value::Null => None,
            Value::String(text) if text.contains('\0') => {
                self.problem(field, "invalid_text", "must not hold NUL");
                None
            }
            Value::String(text) if text.chars().count() > longest => {
                self.problem(field, "too_long", format!("must be at most {longest} characters"));
                None
            }
            Value::String(text) => Some(text),
            _ => {
                self.problem(field, "wrong_type", "must be a text");
                None
            }
        }
    }

    /// A text that must be there and not be blank.
    pub fn required_text(&mut self, field: &str, longest: usize) -> String {
        let before = self.problems.len();
        match self.text(field, longest).filter(|text| !text.trim().is_empty()) {
            Some(text) => text,
            None => {
                if self.problems.len() == before {
                    self.problem(field, "blank", "can't be blank");
                }
                String::new()
            }
        }
    }

    /// A whole number in a range; `None` when absent or null.
    pub fn whole(&mut self, field: &str, least: i64, most: i64) -> Option<i64> {
        match self.take(field)? {
            Value::Null => None,
            value => match value.as_i64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Some(number),
                None => {
                    self.problem(field, "out_of_range", format!("must be a whole number from {least} to {most}"));
                    None
                }
            },
        }
    }

    /// Whether all was well; all problems otherwise.
    pub fn done(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.problems)) }
    }
}
