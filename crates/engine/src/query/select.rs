//! Applies a query to a value within its budget.

use super::{budget::Budget, interpret::Run, stop::Stop};
use domain::{agent::parse_query, nesting};
use jmespath::{Rcvar, Variable};
use serde_json::Value;
use std::sync::Arc;

/// Result of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selected {
    Found(Value),
    /// The query, its input or its result exceeds `QUERY_NODES` or `QUERY_TEXT`.
    TooLarge,
    /// The query does not parse or does not fit the value.
    Failed(String),
}

/// Applies a query to `content`, and to `answer` if it finds nothing there.
pub(crate) fn select(query: &str, content: &Value, answer: Option<&Value>) -> Selected {
    match found(query, content, answer) {
        Ok(value) => Selected::Found(nesting::shallow(value)),
        Err(Stop::TooLarge) => Selected::TooLarge,
        Err(Stop::Failed(message)) => Selected::Failed(message),
    }
}

fn found(query: &str, content: &Value, answer: Option<&Value>) -> Result<Value, Stop> {
    let parsed = parse_query(query).map_err(Stop::Failed)?;
    let mut run = Run { query, left: Budget::default() };
    let data = read(&mut run.left, content)?;
    let mut found = run.interpret(&data, &parsed)?;
    if let Some(answer) = answer.filter(|_| found.is_null()) {
        let data = read(&mut run.left, answer)?;
        found = run.interpret(&data, &parsed)?;
    }
    run.left.whole(&found)?;
    serde_json::to_value(&*found).map_err(|error| Stop::Failed(error.to_string()))
}

fn read(left: &mut Budget, value: &Value) -> Result<Rcvar, Stop> {
    left.json(value)?;
    Variable::from_serializable(value).map(Arc::new).map_err(|error| Stop::Failed(error.to_string()))
}
