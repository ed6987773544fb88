//! Waiting for a simulated time.

use domain::Timestamp;
use runtime::Clock;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

/// Tasks that wait for a simulated time.
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

    /// Waits until the clock reaches `at`.
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

    /// Earliest time that a task waits for.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.lock().expect("no panic").by_time.keys().next().map(|(at, _)| *at)
    }

    /// Wakes the tasks whose time has come.
    pub(super) fn wake_due(&self) {
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
