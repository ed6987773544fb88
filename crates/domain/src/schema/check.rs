//! A compiled schema, and the check of a value.

use super::{
    bounds::{self, Measured},
    errors::{self, Problem},
    patterns,
    work::Work,
};
use crate::limits::{SCHEMA_ERRORS_WORK, SCHEMA_WORK};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    source: Value,
    validator: jsonschema::Validator,
    measured: Measured,
    /// Answers to values whose check is slow, so that one made ahead is not repeated in a
    /// transaction.
    pub(super) slow: Mutex<VecDeque<([u8; 32], Answer)>>,
}

/// Units of work that take about a millisecond if all errors are listed.
const SLOW: usize = 2_000;
/// Kept slow answers of a schema.
const SLOW_ANSWERS: usize = 8;

/// Result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Valid,
    /// At most ten problems.
    Invalid(Vec<Problem>),
    /// The check would need more work than `SCHEMA_WORK`.
    TooLarge,
}

impl Schema {
    /// The error is for the person who wrote the schema.
    pub(super) fn compile(schema: &Value) -> Result<Self, String> {
        let measured = bounds::measure(schema)?;
        let validator = options().build(schema).map_err(|problem| {
            let text: String = problem.to_string().chars().take(64).collect();
            format!("not a JSON Schema: {text}")
        })?;
        Ok(Self { source: schema.clone(), validator, measured, slow: Mutex::default() })
    }

    /// Checks a value.
    pub fn check(&self, value: &Value) -> Answer {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = |value: &Value| <[u8; 32]>::from(Sha256::digest(value.to_string()));
        if !slow.is_empty() {
            let known = digest(value);
            if let Some((_, answer)) = slow.iter().find(|(other, _)| *other == known) {
                return answer.clone();
            }
        }
        drop(slow);
        let work = Work::of(&self.source, &self.measured.patterns, value);
        let answer = match work {
            Some(work) => self.answer(value, work),
            None => Answer::TooLarge,
        };
        if work.is_none_or(|work| work > SLOW) {
            slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
            if slow.len() >= SLOW_ANSWERS {
                slow.pop_front();
            }
            slow.push_back((digest(value), answer.clone()));
        }
        answer
    }

    /// An error holds those below it and quotes values, so errors are made only where they are few.
    fn answer(&self, value: &Value, work: usize) -> Answer {
        if self.validator.is_valid(value) {
            Answer::Valid
        } else if work > SCHEMA_ERRORS_WORK {
            Answer::Invalid(vec![Problem::general()])
        } else {
            Answer::Invalid(errors::first(self.validator.iter_errors(value)))
        }
    }

    /// Bytes of its compiled patterns, rounded up.
    pub fn pattern_bytes(&self) -> usize {
        self.measured.pattern_bytes()
    }

    /// Estimated memory.
    pub(super) fn bytes(&self) -> usize {
        1_024 + 4 * self.measured.bytes + 1_024 * self.measured.parts + 3 * self.pattern_bytes()
    }
}

const _: () = assert!(SCHEMA_ERRORS_WORK < SCHEMA_WORK);

/// Without network access, and with patterns of limited size. A text of a value is never compiled
/// as a pattern.
fn options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .offline()
        .with_pattern_options(patterns::options(patterns::LARGEST))
        .with_format("regex", |_: &str| true)
}
