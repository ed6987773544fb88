//! A request body that knows how far it was asked for.
//!
//! A send whose body was never completely handed over cannot have had an effect: the server is still waiting for the
//! rest that `Content-Length` promised. Afterwards nobody knows. What was handed to the HTTP library is never less than
//! what reached the wire, so doubt falls on the safe side.

use bytes::Bytes;
use futures::stream;
use std::{
    collections::VecDeque,
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
        self.follow_all(vec![bytes])
    }

    /// The same for a body that comes in parts.
    pub(crate) fn follow_all(&self, parts: Vec<Bytes>) -> reqwest::Body {
        let flag = Arc::clone(&self.0);
        let rest: VecDeque<Bytes> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let pieces = stream::unfold((rest, flag), |(mut rest, flag)| async move {
            let Some(mut part) = rest.pop_front() else {
                flag.store(true, Ordering::Release);
                return None;
            };
            let piece = part.split_to(part.len().min(PIECE));
            if !part.is_empty() {
                rest.push_front(part);
            }
            if rest.is_empty() {
                flag.store(true, Ordering::Release);
            }
            Some((Ok::<_, Infallible>(piece), (rest, flag)))
        });
        reqwest::Body::wrap_stream(pieces)
    }
}
