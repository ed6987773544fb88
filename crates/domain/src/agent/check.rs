//! Reads a graph as a client sent it (docs/spec/engine.md 1.2) and checks all rules (1.6) at once.

use super::codes;
use super::graph::Graph;
use super::read::Findings;
use super::validate;
use crate::Problem;
use crate::nesting::{self, DEEPEST};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub graph: Graph,
    /// Probable mistakes; they never block saving.
    pub warnings: Vec<Problem>,
}

impl Graph {
    /// Reads and checks a graph as a client sent it. Reports every error, each at its place in `input`.
    pub fn read(input: &Value) -> Result<Checked, Vec<Problem>> {
        let mut found = Findings::default();
        if nesting::exceeds(input, DEEPEST) {
            found.error("", codes::TOO_DEEP, format!("the graph is nested deeper than {DEEPEST} levels"));
            return Err(found.errors);
        }
        let Some((graph, places)) = Self::open(input, &mut found) else { return Err(found.errors) };
        validate::check_size(input, &mut found);
        validate::check(&graph, &places, &mut found);
        if !found.errors.is_empty() {
            return Err(found.errors);
        }
        validate::warn(&graph, &places, &mut found);
        Ok(Checked { graph, warnings: found.warnings })
    }
}
