//! A problem in a client's request, with its place.

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON pointer (RFC 6901), relative to the checked value until [`Problem::under`] moves it.
    pub path: String,
    /// Code from a closed list, for example `unknown_node`.
    pub code: &'static str,
    /// Lower case, no full stop; says what to do if something can be done.
    pub message: String,
}

impl Problem {
    pub fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }

    /// Moves the problem below `prefix`, the place of the checked value in a larger document.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix);
        self
    }

    /// The pointer in dots without the wrapper, for example `graph.edges.3.to` for
    /// `/agent/graph/edges/3/to`: the key of the `errors` map that published clients read
    /// (docs/spec/reliability.md 11).
    pub fn field(&self) -> String {
        let path = self.path.trim_start_matches('/');
        path.split_once('/').map_or(path, |(_, rest)| rest).replace('/', ".")
    }
}
