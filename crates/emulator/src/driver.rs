//! What makes the emulator move: it fires timers, posts webhooks, and knows when all is quiet.
//!
//! On a manual clock timers fire one after the other, each waiting for the deliveries of the one
//! before, so that a run repeats exactly. On a real clock they fire when they are due and nobody
//! waits for a slow callback.

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

pub(crate) struct Runtime {
    state: Mutex<State>,
    /// One at a time fires timers, or their order would be lost.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    in_flight: watch::Sender<usize>,
    pub(crate) http: reqwest::Client,
    pub(crate) stop: CancellationToken,
    pub(crate) allow_remote_callback: bool,
}

/// What is left when the emulator came to rest, or ran out of time to do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Quiescence {
    /// Timers that are still to come.
    pub pending_timers: usize,
    /// Webhook posts under way; 0 unless the time ran out.
    pub in_flight: usize,
}

impl Runtime {
    pub(crate) fn new(state: State, http: reqwest::Client, allow_remote_callback: bool) -> Self {
        Self {
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            in_flight: watch::Sender::new(0),
            http,
            stop: CancellationToken::new(),
            allow_remote_callback,
        }
    }

    /// Look at the state or change it. The lock ends with the closure, so nothing can await in it.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let result = act(&mut self.lock());
        self.changed.notify_one();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in one request must not take the others down; the state is plain data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fire timers whenever they are due, until the emulator stops.
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

    /// Fire what is due until `until`, in time order; the answer is how many fired.
    async fn fire_until(self: &Arc<Self>, until: Millis) -> usize {
        let _turn = self.turn.lock().await;
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
        let runtime = Arc::clone(self);
        let epoch = self.lock().epoch;
        tokio::spawn(async move {
            tokio::select! {
                () = runtime.stop.cancelled() => {}
                attempt = post(&runtime.http, &outgoing) => runtime.with(|state| {
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
            runtime.in_flight.send_modify(|count| *count -= 1);
        });
    }

    /// Start over. Attempts under way end without a trace; whoever waits for one is told.
    pub(crate) async fn reset(&self, seed: Option<u64>) {
        let _turn = self.turn.lock().await;
        self.with(|state| state.reset(seed));
        self.in_flight.send_modify(|_| {});
    }

    /// Move the clock and fire everything on the way; the answer is how many timers fired.
    pub(crate) async fn advance(self: &Arc<Self>, ms: Millis) -> usize {
        let target = self.lock().clock.now().saturating_add(ms);
        self.advance_to(target).await
    }

    /// The same, to a moment; a moment in the past only fires what is due now.
    pub(crate) async fn advance_to(self: &Arc<Self>, target: Millis) -> usize {
        let fired = self.fire_until(target).await;
        self.with(|state| state.clock.forward_to(target));
        fired
    }

    /// On a manual clock, wait for what a call has just caused. On others, do not.
    pub(crate) async fn settle(self: &Arc<Self>) {
        let now = {
            let state = self.lock();
            state.clock.is_manual().then(|| state.clock.now())
        };
        if let Some(now) = now {
            self.fire_until(now).await;
        }
    }

    /// Wait until nothing is due or in flight, but not longer than `timeout`.
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
        // Running out of time is an answer, not an error: the counts say so.
        let _ = tokio::time::timeout(timeout, quiet).await;
        Quiescence { pending_timers: self.lock().timers.len(), in_flight: *self.in_flight.borrow() }
    }

    /// Wait on the emulator's clock. `false` when it stopped or was reset meanwhile.
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

    /// Wait until a delivery was attempted, or until it is clear that it will not be.
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
