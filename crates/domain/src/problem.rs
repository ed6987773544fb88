//! One thing that is wrong with what a client sent, with the place where it is.

use serde::Serialize;

/// A problem at a place in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON pointer (RFC 6901), relative to the value that was checked until [`Problem::under`] moves it.
    pub path: String,
    /// Stable word from a closed list, e.g. `unknown_node`.
    pub code: &'static str,
    /// Lower case, no full stop, says what to do if something can be done.
    pub message: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }

    /// The same problem, seen from a document that holds the checked value at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix);
        self
    }

    /// The pointer in dots without the wrapper, e.g. `graph.edges.3.to` for `/agent/graph/edges/3/to`: the key of the
    /// `errors` map that published clients read (reliability.md §11).
    pub fn field(&self) -> String {
        let path = self.path.trim_start_matches('/');
        path.split_once('/').map_or(path, |(_, rest)| rest).replace('/', ".")
    }
}
