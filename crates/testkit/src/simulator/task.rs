//! Tasks, polled one at a time in an order chosen by the seed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Panic payload of a crash inside a poll.
pub(super) struct Crash;

/// A future with its wake-up flag.
pub(super) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    wake_flag: Arc<WakeFlag>,
}

struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Result of a poll.
pub(super) enum Polled<T> {
    Waits,
    Done(T),
    /// The node crashed during the poll.
    Crashed,
}

impl<T> Task<T> {
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        // Without tokio's budget, which treats the whole simulation as one task and would stall it.
        let future = Box::pin(tokio::task::unconstrained(future));
        Self { future, wake_flag: Arc::new(WakeFlag(AtomicBool::new(true))) }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.wake_flag.0.load(Ordering::SeqCst)
    }

    pub(super) fn poll(&mut self) -> Polled<T> {
        self.wake_flag.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.wake_flag.clone());
        let mut context = Context::from_waker(&waker);
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => Polled::Waits,
            Ok(Poll::Ready(done)) => Polled::Done(done),
            Err(payload) if payload.is::<Crash>() => Polled::Crashed,
            // A panic of the product or of the simulator fails the run.
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }
}
