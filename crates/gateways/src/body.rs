//! A request body that records how much of it was passed to the HTTP library.
//!
//! A send whose body was never passed completely cannot have had an effect: the server still waits
//! for the rest that `Content-Length` promised. After that the effect is uncertain. At least as
//! much is passed as reaches the wire, so the error is on the safe side.

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

/// Large bodies are passed in pieces, so that a stalled connection is noticed.
const PIECE: usize = 64 * 1024;

#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicBool>);

impl Progress {
    /// False only while the last byte of the body cannot have been written.
    pub(crate) fn handed_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Wraps a body. The caller sets `Content-Length`: a stream has no known length.
    pub(crate) fn follow(&self, bytes: Bytes) -> reqwest::Body {
        self.follow_all(vec![bytes])
    }

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
