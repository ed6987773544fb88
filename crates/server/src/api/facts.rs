//! RequestFacts about one request, shared by all layers that handle it.

use super::rate::Window;
use std::sync::OnceLock;

/// Maximum length of an `Idempotency-Key`.
pub(crate) const LONGEST_KEY: usize = 255;

/// Created by the outermost layer and stored in the request's extensions.
#[derive(Debug, Default)]
pub(crate) struct RequestFacts {
    /// Value of `X-Request-Id`.
    pub(crate) request_id: String,
    /// Method, path and query.
    pub(crate) line: String,
    /// SHA-256 of the body, once read.
    pub(crate) body_hash: OnceLock<[u8; 32]>,
    /// Rate limit window of the key, once the key is known.
    pub(crate) window: OnceLock<Window>,
}
