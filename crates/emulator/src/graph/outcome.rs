//! Result of a processed call, and the calls that are not implemented.

use serde_json::Value;

use super::{call::Call, errors::GraphError};
use crate::{clock::Millis, state::State};

pub(crate) struct Outcome {
    pub(crate) result: Result<Value, GraphError>,
    /// Delivery to wait for before the answer, and the pause after it.
    pub(crate) wait: Option<(u64, Millis)>,
}

impl From<Result<Value, GraphError>> for Outcome {
    fn from(result: Result<Value, GraphError>) -> Self {
        Self { result, wait: None }
    }
}

/// Edges of Meta's API that the emulator does not implement.
const EDGES: &[&str] = &["uploads", "access_token"];

/// Refuses a call that is unknown, or that exists at Meta but not here. The request log marks the
/// latter, so that a test can assert that there was none.
pub(crate) fn unimplemented(state: &mut State, call: &Call, id: u64) -> Outcome {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let error = match segments.as_slice() {
        [.., edge] if segments.len() > 1 && EDGES.contains(edge) => missing(state, call, id),
        [object] if state.is_object(object) => missing(state, call, id),
        [object] if object.bytes().all(|b| b.is_ascii_digit()) => GraphError::no_object(),
        _ => GraphError::new(2500),
    };
    Err(error).into()
}

fn missing(state: &mut State, call: &Call, id: u64) -> GraphError {
    state.requests.update(id, |entry| entry.unimplemented = true);
    tracing::warn!(method = %call.method, path = call.path, "unimplemented graph call");
    GraphError::with(100, format!("{} {} is not emulated yet.", call.method, call.path))
}

impl State {
    fn is_object(&self, id: &str) -> bool {
        id == self.world.waba_id || id == self.world.app_id || self.world.number(id).is_some()
    }
}
