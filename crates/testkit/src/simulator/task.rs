//! Tasks and the waiting in them: polled one by one in the order that the seed says, with time that
//! only the schedule moves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Thrown through a node's code where it dies inside of a poll.
pub(super) struct Death;

/// A future and whether somebody has called for it.
pub(super) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    called: Arc<Called>,
}

struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a poll brought.
pub(super) enum Polled<T> {
    Waits,
    Done(T),
    /// The node died in it.
    Died,
}

impl<T> Task<T> {
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        // Without tokio's budget: it would make everything wait after a while, as if this were one
        // greedy task.
        let future = Box::pin(tokio::task::unconstrained(future));
        Self { future, called: Arc::new(Called(AtomicBool::new(true))) }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.called.0.load(Ordering::SeqCst)
    }

    pub(super) fn poll(&mut self) -> Polled<T> {
        self.called.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.called.clone());
        let mut context = Context::from_waker(&waker);
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => Polled::Waits,
            Ok(Poll::Ready(done)) => Polled::Done(done),
            Err(payload) if payload.is::<Death>() => Polled::Died,
            // A panic of the product or of the simulator itself: the run has failed.
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }
}
