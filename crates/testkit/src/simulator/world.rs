//! State outside of the nodes, which survives their crashes: contacts, Meta, the model, the tools
//! and the history.

use super::{
    chance::Chance,
    history::History,
    people::Person,
    timeline::Timeline,
    traffic::{Arrival, Attempt, Delivery, Item},
};
use domain::{Span, Timestamp, ids::OutboxId};
use runtime::Clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

/// Probabilities of the faults of a run, per mille.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// Number of nodes on one database.
    pub nodes: usize,
    /// A node crashes after a poll.
    pub deaths: u32,
    /// A node crashes at a failpoint.
    pub failpoints: u32,
    /// A task yields at a statement, so that others continue first.
    pub statements: u32,
    /// A node pauses for a while.
    pub pauses: u32,
    /// A node stops gracefully and restarts.
    pub stops: u32,
    /// A webhook is delivered again although it was acknowledged.
    pub copies: u32,
    /// The acknowledgement of a webhook is lost.
    pub acks_lost: u32,
    /// Webhooks are late or reordered.
    pub late: u32,
    /// The answer to a send is lost, or is a 500 with or without acceptance.
    pub answers_lost: u32,
    /// A send is refused, throttled or does not reach Meta.
    pub refusals: u32,
    /// Meta always sends a status within the reconcile window.
    pub prompt_statuses: bool,
    /// A model call fails.
    pub model_failures: u32,
    /// A model call takes longer than a lease.
    pub slow_model: u32,
}

impl Profile {
    fn of(chance: &mut Chance) -> Self {
        let some = |chance: &mut Chance, most: usize| if chance.permille(250) { 0 } else { chance.below(most) as u32 };
        Self {
            nodes: 1 + usize::from(chance.permille(600)),
            deaths: some(chance, 6),
            failpoints: some(chance, 12),
            statements: some(chance, 120),
            pauses: some(chance, 12),
            stops: some(chance, 6),
            copies: some(chance, 400),
            acks_lost: some(chance, 150),
            late: some(chance, 400),
            answers_lost: some(chance, 250),
            refusals: some(chance, 150),
            prompt_statuses: chance.permille(600),
            model_failures: some(chance, 200),
            slow_model: some(chance, 120),
        }
    }
}

/// Counters of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub messages: u64,
    pub deaths: u64,
    pub pauses: u64,
    pub stops: u64,
    pub duplicates: u64,
    pub answers_lost: u64,
    pub model_calls: u64,
    pub tool_calls: u64,
    pub stale: u64,
    pub reported_duplicates: u64,
}

/// Handle on the state, shared by the schedule and the nodes' outgoing calls.
#[derive(Clone)]
pub(super) struct World {
    pub clock: Clock,
    pub timeline: Timeline,
    inner: Arc<Mutex<Inner>>,
}

pub(super) struct Inner {
    pub chance: Chance,
    pub profile: Profile,
    /// No more faults happen, so that the run can end.
    pub healed: bool,
    pub history: History,
    pub people: Vec<Person>,
    /// Events that Meta has not put into webhooks yet.
    pub outgoing: Vec<Item>,
    /// Webhooks that are not acknowledged.
    pub deliveries: BTreeMap<u64, Delivery>,
    pub delivery_count: u64,
    /// Open requests to send.
    pub in_flight: Vec<Arrival>,
    /// All requests to send, by outbox row.
    pub sends: BTreeMap<OutboxId, Vec<Attempt>>,
    /// Wamids of acknowledged messages.
    pub acked: BTreeSet<String>,
    /// Number of tool requests other than GET, by idempotency key.
    pub tools: BTreeMap<String, u32>,
    pub counts: Counts,
    /// Failpoints at which nodes crashed.
    pub crashed_at: BTreeSet<String>,
    /// Violations found during the run.
    pub violations: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, began: Timestamp, people: Vec<Person>) -> Self {
        let clock = Clock::manual(began);
        let mut chance = Chance::new(seed);
        let profile = Profile::of(&mut chance.split());
        let inner = Inner {
            chance,
            profile,
            healed: false,
            history: History::new(began),
            people,
            outgoing: Vec::new(),
            deliveries: BTreeMap::new(),
            delivery_count: 0,
            in_flight: Vec::new(),
            sends: BTreeMap::new(),
            acked: BTreeSet::new(),
            tools: BTreeMap::new(),
            counts: Counts::default(),
            crashed_at: BTreeSet::new(),
            violations: Vec::new(),
        };
        Self { timeline: Timeline::new(clock.clone()), clock, inner: Arc::new(Mutex::new(inner)) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while it was held")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a simulated time span.
    pub(super) fn pause(&self, span: Span) -> impl Future<Output = ()> + Send + 'static {
        self.timeline.until(self.now() + span)
    }

    pub(super) fn note(&self, what: impl std::fmt::Display) {
        let now = self.now();
        self.lock().history.note(now, what);
    }
}

impl Inner {
    /// Decides if a fault with this probability (per mille) happens.
    pub(super) fn fault(&mut self, often: u32) -> bool {
        !self.healed && often > 0 && self.chance.permille(often)
    }

    pub(super) fn violation(&mut self, now: Timestamp, what: String) {
        self.history.note(now, format!("VIOLATION {what}"));
        self.violations.push(what);
    }
}
