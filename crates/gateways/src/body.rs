//! A request body that knows how far it was asked for.
//!
//! A send whose body was never completely handed over cannot have had an effect: the server is still waiting for the
//! rest that `Content-Length` promised. Afterwards nobody knows. What was handed to the HTTP library is never less than
//! what reached the wire, so doubt falls on the safe side.

use bytes::Bytes;
use futures::stream;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Large bodies are handed over in pieces, so that a connection that takes no more is noticed.
const PIECE: usize = 64 * 1024;

/// Whether a request's body was handed over for writing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicBool>);

impl Progress {
    /// False only while the last byte of the body cannot have been written.
    pub(crate) fn handed_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Wraps a body so that this progress follows it. The caller sets `Content-Length`: a stream has no known length.
    pub(crate) fn follow(&self, bytes: Bytes) -> reqwest::Body {
        let flag = Arc::clone(&self.0);
        let pieces = stream::unfold((bytes, flag), |(mut rest, flag)| async move {
            if rest.is_empty() {
                flag.store(true, Ordering::Release);
                return None;
            }
            let piece = rest.split_to(rest.len().min(PIECE));
            if rest.is_empty() {
                flag.store(true, Ordering::Release);
            }
            Some((Ok::<_, Infallible>(piece), (rest, flag)))
        });
        reqwest::Body::wrap_stream(pieces)
    }
}
