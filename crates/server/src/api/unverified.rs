//! Memory for bodies whose sender is not known yet: webhooks, which are signed as a whole.
//!
//! A new body beyond the budget replaces the oldest one that is still being received. Meta sends at
//! once and is hardly ever the oldest, so slow or many bodies of strangers do not keep Meta's out.
//! Small bodies have a budget of their own, because most of Meta's are small.

use super::body::Incoming;
use crate::ApiError;
use axum::body::{Body, Bytes};
use bytes::BytesMut;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::sync::Notify;

/// Bodies up to this size are small.
const SMALL: usize = 64 * 1024;
/// Memory of small bodies together.
const SMALL_BUDGET: usize = 8 * 1024 * 1024;
/// A small body counts as at least this much, so that at most 512 are received at a time.
const SMALLEST: usize = 16 * 1024;
/// Memory of all other bodies together.
const LARGE_BUDGET: usize = 24 * 1024 * 1024;

/// Budgets of a node.
#[derive(Debug)]
pub(crate) struct Unverified {
    small: Arc<Budget>,
    large: Arc<Budget>,
}

#[derive(Debug)]
struct Budget {
    bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    last: u64,
    /// Bodies that are being received, oldest first.
    receiving: BTreeMap<u64, Arc<Buffer>>,
}

#[derive(Debug)]
struct Buffer {
    size: usize,
    /// `None` once the body was dropped, or received completely.
    read: Mutex<Option<BytesMut>>,
    /// Set under the lock of the budget, which then no longer counts this body.
    is_dropped: AtomicBool,
    dropped: Notify,
}

/// Memory of one body, released when this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    budget: Arc<Budget>,
    number: u64,
    buffer: Arc<Buffer>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Unverified {
    fn default() -> Self {
        let budget = |bytes| Arc::new(Budget { bytes, held: Mutex::default() });
        Self { small: budget(SMALL_BUDGET), large: budget(LARGE_BUDGET) }
    }
}

impl Unverified {
    /// Reserves memory for a body of at most `size` bytes. Fails with [`ApiError::BodiesFull`] if
    /// bodies that were received completely and are being checked use up the budget.
    pub(crate) fn reserve(&self, size: usize) -> Result<Reserved, ApiError> {
        if size <= SMALL { self.small.reserve(size.max(SMALLEST)) } else { self.large.reserve(size) }
    }
}

impl Budget {
    fn reserve(self: &Arc<Self>, size: usize) -> Result<Reserved, ApiError> {
        let mut held = lock(&self.held);
        while held.bytes + size > self.bytes {
            let Some((_, oldest)) = held.receiving.pop_first() else { return Err(ApiError::BodiesFull) };
            held.bytes -= oldest.size;
            // Freed here: the receiving task may be slow to run.
            lock(&oldest.read).take();
            oldest.is_dropped.store(true, Relaxed);
            oldest.dropped.notify_one();
            metrics::counter!("chasqui_unverified_bodies_dropped_total").increment(1);
        }
        held.last += 1;
        held.bytes += size;
        let buffer = Arc::new(Buffer {
            size,
            read: Mutex::new(Some(BytesMut::new())),
            is_dropped: AtomicBool::new(false),
            dropped: Notify::new(),
        });
        let number = held.last;
        held.receiving.insert(number, buffer.clone());
        drop(held);
        Ok(Reserved { budget: self.clone(), number, buffer })
    }
}

impl Reserved {
    /// Receives the body. It counts against the budget until `self` is dropped.
    pub(crate) async fn receive(&self, body: Body, limit: usize) -> Result<Bytes, ApiError> {
        let mut incoming = Incoming::new(body, limit);
        loop {
            let next = tokio::select! {
                biased;
                () = self.buffer.dropped.notified() => return Err(ApiError::BodiesFull),
                next = incoming.next() => next?,
            };
            let mut read = lock(&self.buffer.read);
            let Some(bytes) = read.as_mut() else { return Err(ApiError::BodiesFull) };
            match next {
                Some(more) => {
                    if bytes.capacity() == 0 {
                        bytes.reserve(self.buffer.size.min(limit));
                    }
                    bytes.extend_from_slice(&more);
                }
                None => break,
            }
        }
        // From here on it cannot be dropped, and still counts.
        lock(&self.budget.held).receiving.remove(&self.number);
        lock(&self.buffer.read).take().map(BytesMut::freeze).ok_or(ApiError::BodiesFull)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut held = lock(&self.budget.held);
        held.receiving.remove(&self.number);
        if !self.buffer.is_dropped.load(Relaxed) {
            held.bytes -= self.buffer.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt as _, stream};

    const LIMIT: usize = 4 * 1024 * 1024;

    /// A body that sends one chunk and then nothing.
    fn stuck() -> Body {
        let first = stream::iter([Ok::<_, std::convert::Infallible>(vec![b'x'; 1_000])]);
        Body::from_stream(first.chain(stream::pending()))
    }

    #[tokio::test]
    async fn oldest_body_gives_way_and_complete_ones_do_not() {
        let unverified = Unverified::default();
        let complete = unverified.reserve(LIMIT).unwrap();
        assert_eq!(complete.receive(Body::from(vec![b'x'; LIMIT]), LIMIT).await.unwrap().len(), LIMIT);
        let slow: Vec<_> = (0..5).map(|_| unverified.reserve(LIMIT).unwrap()).collect();
        let newest = unverified.reserve(LIMIT).unwrap();
        assert!(matches!(slow[0].receive(stuck(), LIMIT).await, Err(ApiError::BodiesFull)));
        for later in &slow[1..] {
            let received = later.receive(Body::from("{}"), LIMIT).await;
            assert_eq!(received.unwrap(), "{}", "only the oldest one was dropped");
        }
        assert_eq!(newest.receive(Body::from("{}"), LIMIT).await.unwrap(), "{}");
        // Now all are complete, and the memory is in use until they are checked.
        assert!(matches!(unverified.reserve(LIMIT), Err(ApiError::BodiesFull)));
        drop(complete);
        assert!(unverified.reserve(LIMIT).is_ok());
        drop((slow, newest));
        assert_eq!(lock(&unverified.large.held).bytes, 0);
    }

    #[tokio::test]
    async fn large_bodies_do_not_displace_small_ones() {
        let unverified = Unverified::default();
        let small = unverified.reserve(2_000).unwrap();
        let _large: Vec<_> = (0..100).map(|_| unverified.reserve(LIMIT).unwrap()).collect();
        assert_eq!(small.receive(Body::from("{}"), LIMIT).await.unwrap(), "{}");
        let _more: Vec<_> = (0..512).map(|_| unverified.reserve(10).unwrap()).collect();
        assert!(lock(&unverified.small.held).bytes <= SMALL_BUDGET);
    }
}
