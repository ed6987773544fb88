//! What is outside of the nodes and outlives them: people, Meta, the model, the tools, and the
//! memory of all that happened.

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

/// How rough a run is; often-nesses are in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// Nodes over one database.
    pub nodes: usize,
    /// A node dies after a poll.
    pub deaths: u32,
    /// A node dies at a named failpoint.
    pub failpoints: u32,
    /// A task waits at a statement, so that others go first.
    pub statements: u32,
    /// A node stands still for a while.
    pub pauses: u32,
    /// A node is asked to stop, and another life of it begins when it has.
    pub stops: u32,
    /// A webhook is delivered again although it was taken.
    pub copies: u32,
    /// A webhook's answer is lost on its way to Meta.
    pub acks_lost: u32,
    /// Webhooks come late and in another order.
    pub late: u32,
    /// A send's answer is lost, or says 500 whatever happened.
    pub answers_lost: u32,
    /// A send is refused, throttled or not sent at all.
    pub refusals: u32,
    /// Meta tells what became of a message within the reconcile window, always.
    pub honest: bool,
    /// The model fails.
    pub model_failures: u32,
    /// The model takes longer than a lease.
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
            honest: chance.permille(600),
            model_failures: some(chance, 200),
            slow_model: some(chance, 120),
        }
    }
}

/// What is counted of a run.
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
    pub excused_doubles: u64,
}

/// Shared by the schedule and by what the nodes call outside.
#[derive(Clone)]
pub(super) struct World {
    pub clock: Clock,
    pub timeline: Timeline,
    inner: Arc<Mutex<Inner>>,
}

pub(super) struct Inner {
    pub chance: Chance,
    pub profile: Profile,
    /// No more faults: what is under way comes to its end.
    pub healed: bool,
    pub history: History,
    pub people: Vec<Person>,
    /// What Meta has to tell, each with its time.
    pub outgoing: Vec<Item>,
    /// Webhooks that were not taken yet.
    pub deliveries: BTreeMap<u64, Delivery>,
    pub delivery_count: u64,
    /// Sends on the wire.
    pub in_flight: Vec<Arrival>,
    /// Every request to send, by outbox row.
    pub sends: BTreeMap<OutboxId, Vec<Attempt>>,
    /// Messages that we promised to keep.
    pub acked: BTreeSet<String>,
    /// Requests of tools that change something, by idempotency key.
    pub tools: BTreeMap<String, u32>,
    pub counts: Counts,
    /// The failpoints at which nodes have died.
    pub died_at: BTreeSet<String>,
    /// What must never happen and was seen on the way.
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
            died_at: BTreeSet::new(),
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

    /// Waits for a span of the simulated time.
    pub(super) fn pause(&self, span: Span) -> impl Future<Output = ()> + Send + 'static {
        self.timeline.until(self.now() + span)
    }

    pub(super) fn note(&self, what: impl std::fmt::Display) {
        let now = self.now();
        self.lock().history.note(now, what);
    }
}

impl Inner {
    /// Whether a fault happens that is meant to happen this often in a thousand.
    pub(super) fn fault(&mut self, often: u32) -> bool {
        !self.healed && often > 0 && self.chance.permille(often)
    }

    pub(super) fn violation(&mut self, now: Timestamp, what: String) {
        self.history.note(now, format!("VIOLATION {what}"));
        self.violations.push(what);
    }
}
