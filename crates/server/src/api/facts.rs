//! What is known of one request while it is handled, for everybody who handles it.

use super::rate::Window;
use std::sync::OnceLock;

/// Made by the outermost layer, found in the request's extensions.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// As in logs and in `X-Request-Id`.
    pub(crate) request_id: String,
    /// Method, path and query.
    pub(crate) line: String,
    /// SHA-256 of the body, once it was read.
    pub(crate) body_hash: OnceLock<[u8; 32]>,
    /// Where its key stands in its minute, once the key is known.
    pub(crate) window: OnceLock<Window>,
}
