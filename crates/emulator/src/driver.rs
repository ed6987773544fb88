//! Event loop of the emulator: fires timers, posts webhooks, detects idleness.
//!
//! On a manual clock timers fire one after the other, and each waits for the deliveries of the one
//! before, so that a run repeats exactly. On a real clock timers fire when they are due, without
//! waiting for a slow callback.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Millis,
    state::State,
    timers::Job,
    webhooks::{Outgoing, post},
};

pub(crate) struct Driver {
    state: Mutex<State>,
    /// Held while timers fire: concurrent firing would lose their order.
    firing: tokio::sync::Mutex<()>,
    changed: Notify,
    in_flight: watch::Sender<usize>,
    pub(crate) http: reqwest::Client,
    pub(crate) stop: CancellationToken,
    pub(crate) allow_remote_callback: bool,
}

/// Work that is left after waiting for idleness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Quiescence {
    /// Timers that are not due yet.
    pub pending_timers: usize,
    /// Open webhook posts; 0 unless the wait timed out.
    pub in_flight: usize,
}

impl Driver {
    pub(crate) fn new(state: State, http: reqwest::Client, allow_remote_callback: bool) -> Self {
        Self {
            state: Mutex::new(state),
            firing: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            in_flight: watch::Sender::new(0),
            http,
            stop: CancellationToken::new(),
            allow_remote_callback,
        }
    }

    /// Reads or changes the state. The lock ends with the closure, so nothing can await in it.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let result = act(&mut self.lock());
        self.changed.notify_one();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in one request must not fail the others; the state is plain data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fires timers whenever they are due, until the emulator stops.
    pub(crate) async fn drive(self: Arc<Self>) {
        loop {
            let now = self.lock().clock.now();
            self.fire_until(now).await;
            let wait = {
                let state = self.lock();
                state.timers.next_due().and_then(|at| state.clock.wait_for(at))
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// Fires the timers due until `until`, in time order. Returns their number.
    async fn fire_until(self: &Arc<Self>, until: Millis) -> usize {
        let _guard = self.firing.lock().await;
        let manual = self.lock().clock.is_manual();
        self.settle_before(manual).await;
        let mut fired = 0;
        loop {
            let (outgoing, manual) = {
                let mut state = self.lock();
                let Some((at, job)) = state.timers.pop_due(until) else { break };
                state.clock.forward_to(at);
                (state.fire(job), state.clock.is_manual())
            };
            fired += 1;
            for post in outgoing {
                self.launch(post);
            }
            self.settle_before(manual).await;
        }
        fired
    }

    async fn settle_before(&self, manual: bool) {
        if manual {
            self.idle().await;
        }
    }

    async fn idle(&self) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }

    fn launch(self: &Arc<Self>, outgoing: Outgoing) {
        self.in_flight.send_modify(|count| *count += 1);
        let driver = Arc::clone(self);
        let epoch = self.lock().epoch;
        tokio::spawn(async move {
            tokio::select! {
                () = driver.stop.cancelled() => {}
                attempt = post(&driver.http, &outgoing) => driver.with(|state| {
                    if state.epoch != epoch {
                        return;
                    }
                    let delivery = state.deliveries.get_mut(outgoing.delivery);
                    let retry = delivery.and_then(|d| d.record(outgoing.kind, attempt));
                    if let Some(at) = retry {
                        let job = Job::Attempt {
                            delivery: outgoing.delivery,
                            kind: outgoing.kind,
                            copies: 1,
                        };
                        state.timers.push(at, job);
                    }
                }),
            }
            driver.in_flight.send_modify(|count| *count -= 1);
        });
    }

    /// Starts over. Open webhook posts are not recorded; tasks that wait for one are woken.
    pub(crate) async fn reset(&self, seed: Option<u64>) {
        let _guard = self.firing.lock().await;
        self.with(|state| state.reset(seed));
        self.in_flight.send_modify(|_| {});
    }

    /// Moves the clock by `ms` and fires the timers on the way. Returns their number.
    pub(crate) async fn advance(self: &Arc<Self>, ms: Millis) -> usize {
        let target = self.lock().clock.now().saturating_add(ms);
        self.advance_to(target).await
    }

    /// Moves the clock to `target`. A target in the past only fires the timers that are due now.
    pub(crate) async fn advance_to(self: &Arc<Self>, target: Millis) -> usize {
        let fired = self.fire_until(target).await;
        self.with(|state| state.clock.forward_to(target));
        fired
    }

    /// Waits for the effects of a control call. Returns at once unless the clock is manual.
    pub(crate) async fn settle(self: &Arc<Self>) {
        let now = {
            let state = self.lock();
            state.clock.is_manual().then(|| state.clock.now())
        };
        if let Some(now) = now {
            self.fire_until(now).await;
        }
    }

    /// Waits until no timer is due and no post is open, at most for `timeout`.
    pub(crate) async fn quiesce(self: &Arc<Self>, timeout: Duration) -> Quiescence {
        let quiet = async {
            loop {
                let now = self.lock().clock.now();
                self.fire_until(now).await;
                self.idle().await;
                if !self.lock().is_due() && *self.in_flight.borrow() == 0 {
                    return;
                }
            }
        };
        // A timeout is no error: the returned counts show it.
        let _ = tokio::time::timeout(timeout, quiet).await;
        Quiescence { pending_timers: self.lock().timers.len(), in_flight: *self.in_flight.borrow() }
    }

    /// Waits on the emulator's clock. Returns `false` if it was stopped or reset meanwhile.
    pub(crate) async fn wait(&self, ms: Millis) -> bool {
        let (waiter, woken) = oneshot::channel();
        self.with(|state| {
            let at = state.clock.now().saturating_add(ms);
            state.timers.push(at, Job::Wake(waiter));
        });
        tokio::select! {
            () = self.stop.cancelled() => false,
            woken = woken => woken.is_ok(),
        }
    }

    /// Waits until a delivery was attempted, or until no attempt can follow.
    pub(crate) async fn wait_for_attempt(&self, delivery: u64) {
        use crate::webhooks::DeliveryState::Pending;
        let mut in_flight = self.in_flight.subscribe();
        loop {
            let waiting = {
                let state = self.lock();
                let entry = state.deliveries.get(delivery);
                entry.is_some_and(|d| d.state == Pending && !d.was_attempted())
            };
            if !waiting {
                return;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = in_flight.changed() => {}
            }
        }
    }
}
