//! Tasks and the waiting in them: polled one by one in the order that the seed says, with time that only the schedule moves.

use super::node::Done;
use domain::Timestamp;
use runtime::Clock;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Thrown through a node's code where it dies inside of a poll.
pub(super) struct Death;

/// A future and whether somebody has called for it.
pub(super) struct Task {
    future: Pin<Box<dyn Future<Output = Done>>>,
    called: Arc<Called>,
}

struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a poll brought.
pub(super) enum Polled {
    Waits,
    Done(Done),
    /// The node died in it.
    Died,
}

impl Task {
    pub(super) fn new(future: impl Future<Output = Done> + 'static) -> Self {
        // Without tokio's budget: it would make everything wait after a while, as if this were one greedy task.
        let future = Box::pin(tokio::task::unconstrained(future));
        Self { future, called: Arc::new(Called(AtomicBool::new(true))) }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.called.0.load(Ordering::SeqCst)
    }

    pub(super) fn poll(&mut self) -> Polled {
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

/// Those who wait for a time.
#[derive(Clone)]
pub(super) struct Timeline {
    clock: Clock,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    count: u64,
    by_time: BTreeMap<(Timestamp, u64), Waker>,
}

impl Timeline {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, waiting: Arc::default() }
    }

    /// Waits until the clock shows `at`.
    pub(super) fn until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + 'static {
        let timeline = self.clone();
        poll_fn(move |context| {
            if timeline.clock.now() >= at {
                return Poll::Ready(());
            }
            let mut waiting = timeline.waiting.lock().expect("no panic");
            waiting.count += 1;
            let key = (at, waiting.count);
            waiting.by_time.insert(key, context.waker().clone());
            Poll::Pending
        })
    }

    /// The next time that anybody waits for.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.lock().expect("no panic").by_time.keys().next().map(|(at, _)| *at)
    }

    /// Calls those whose time has come.
    pub(super) fn call(&self) {
        let now = self.clock.now();
        let mut waiting = self.waiting.lock().expect("no panic");
        while let Some(entry) = waiting.by_time.first_entry() {
            if entry.key().0 > now {
                return;
            }
            entry.remove().wake();
        }
    }
}
