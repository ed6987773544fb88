//! RequestFacts about one request, shared by all layers that handle it.

use super::{
    large_bodies::{LargeBodies, Reserved},
    rate::Window,
};
use domain::ids::ProjectId;
use std::sync::{Arc, Mutex, OnceLock};

/// Maximum length of an `Idempotency-Key`.
pub(crate) const LONGEST_KEY: usize = 255;

/// Created by the outermost layer and stored in the request's extensions.
#[derive(Debug, Default)]
pub(crate) struct RequestFacts {
    /// Value of `X-Request-Id`.
    pub(crate) request_id: String,
    /// Method, path and query.
    pub(crate) line: String,
    /// Memory for large bodies, and the project that uses it, once the key is known.
    pub(crate) memory: OnceLock<(Arc<LargeBodies>, ProjectId)>,
    /// Memory of this body, if it is large; released at the end of the request.
    pub(crate) reserved: OnceLock<Reserved>,
    /// SHA-256 of the body, once read.
    pub(crate) body_hash: OnceLock<[u8; 32]>,
    /// Rate limit window to show: that of the key or session, or the one that was exceeded.
    pub(crate) window: Mutex<Option<Window>>,
}
