//! Collects the problems of a request, so that all are reported together.

use crate::ApiError;
use domain::Problem;

#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem at a JSON pointer of the body.
    pub(crate) fn add(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.0.push(Problem::new(path, code, message));
    }

    /// Adds the problems of the value at `prefix`.
    pub(crate) fn extend_under(&mut self, prefix: &str, problems: impl IntoIterator<Item = Problem>) {
        self.0.extend(problems.into_iter().map(|problem| problem.under(prefix)));
    }

    /// True if the value at this pointer has a problem.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.iter().any(|problem| problem.path == path)
    }

    /// Fails with all problems, if there are any.
    pub(crate) fn done(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.0)) }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems.0)
    }
}
