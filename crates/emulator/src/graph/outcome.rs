//! What processing a call leads to, and the calls that lead nowhere yet.

use serde_json::Value;

use super::{call::Call, errors::GraphError};
use crate::{clock::Millis, state::State};

/// The answer of a processed call.
pub(crate) struct Outcome {
    pub(crate) result: Result<Value, GraphError>,
    /// Answer only after this delivery was attempted and this much time passed.
    pub(crate) wait: Option<(u64, Millis)>,
}

impl From<Result<Value, GraphError>> for Outcome {
    fn from(result: Result<Value, GraphError>) -> Self {
        Self { result, wait: None }
    }
}

/// Edges that Meta has and this emulator does not have yet.
const EDGES: &[&str] = &["uploads", "access_token"];

/// Refuse a call, and say whether it is unknown or only missing here. The request log marks the
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
