//! Everything the emulator knows, behind one lock that is never held while the network is used.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    accounts::Accounts,
    chats::Chats,
    clock::{Clock, Millis},
    config::Config,
    faults::Faults,
    feed::Feed,
    ids::Ids,
    limits::Limits,
    media::Media,
    requests::Requests,
    templates::Templates,
    timers::{Job, Timers},
    users::Users,
    webhooks::{AttemptKind, Deliveries, DeliveryState, Kept, Outgoing, Target},
    world::World,
};

/// Longest a callback may take to answer.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct State {
    /// Counts resets: an attempt that began before one must not touch what came after.
    pub(crate) epoch: u64,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers,
    pub(crate) world: World,
    pub(crate) users: Users,
    pub(crate) chats: Chats,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) accounts: Accounts,
    pub(crate) templates: Templates,
    pub(crate) media: Media,
    /// Webhooks that wait for others.
    pub(crate) kept: Kept,
    pub(crate) requests: Requests,
    pub(crate) deliveries: Deliveries,
    pub(crate) target: Option<Target>,
    pub(crate) verify_token: String,
    pub(crate) callback_timeout: Duration,
    pub(crate) feed: Feed,
}

impl State {
    pub(crate) fn new(config: &Config, target: Option<Target>) -> Self {
        let mut ids = Ids::new(config.seed);
        Self {
            epoch: 0,
            accounts: Accounts::new(&config.world),
            templates: Templates::new(&mut ids),
            media: Media::default(),
            kept: Kept::default(),
            ids,
            clock: Clock::new(config.clock),
            timers: Timers::default(),
            world: config.world.clone(),
            users: Users::new(&config.world.users),
            chats: Chats::default(),
            limits: Limits::default(),
            faults: Faults::default(),
            requests: Requests::default(),
            deliveries: Deliveries::default(),
            target,
            verify_token: config.verify_token.clone(),
            callback_timeout: CALLBACK_TIMEOUT,
            feed: Feed::new(),
        }
    }

    /// Back to the beginning. The callback and the listeners of the feed stay; a manual clock
    /// starts again.
    pub(crate) fn reset(&mut self, seed: Option<u64>) {
        self.epoch += 1;
        self.ids = Ids::new(seed.unwrap_or(self.ids.seed()));
        if self.clock.is_manual() {
            self.clock = Clock::new(self.clock.mode());
        }
        self.timers = Timers::default();
        self.users = Users::new(&self.world.users);
        self.chats = Chats::default();
        self.limits = Limits::default();
        self.faults = Faults::default();
        self.accounts = Accounts::new(&self.world);
        self.templates = Templates::new(&mut self.ids);
        self.media = Media::default();
        self.kept = Kept::default();
        self.requests = Requests::default();
        self.deliveries = Deliveries::default();
    }

    /// Do what a timer was set for; webhooks to post are handed back.
    pub(crate) fn fire(&mut self, job: Job) -> Vec<Outgoing> {
        match job {
            Job::Status { message, status } => self.status_is_due(&message, status),
            Job::TypingEnds { number, user, until } => {
                // A newer indicator or a message may have replaced the one this timer is for.
                if self.chats.typing_until(&number, &user) == until {
                    self.feed.typing(&number, &user, false);
                }
            }
            Job::Release { message } => drop(self.schedule_statuses(&message, false)),
            Job::Template { id, status } => drop(self.decide_template(&id, &status, None, None)),
            Job::Linger { batch } => self.let_go(batch),
            // Whoever waited may have gone away.
            Job::Wake(waiter) => drop(waiter.send(())),
            Job::Attempt { delivery, kind, copies } => return self.outgoing(delivery, kind, copies),
        }
        Vec::new()
    }

    /// The posts of one due attempt: of several copies only the first is retried.
    fn outgoing(&mut self, delivery: u64, kind: AttemptKind, copies: u32) -> Vec<Outgoing> {
        let at = self.clock.now();
        let Some(entry) = self.deliveries.get(delivery) else { return Vec::new() };
        let Some(target) = self.target_for(entry.number.as_deref()) else { return Vec::new() };
        let settled = entry.state != DeliveryState::Pending;
        if kind == AttemptKind::Regular && settled {
            return Vec::new();
        }
        let post = |kind| Outgoing {
            delivery,
            kind,
            at,
            target: target.clone(),
            timeout: self.callback_timeout,
            body: entry.body.clone(),
            signature: entry.signature.clone(),
        };
        let extras = (1..copies).map(|_| post(AttemptKind::Extra));
        std::iter::once(post(kind)).chain(extras).collect()
    }

    /// Where the webhooks of a number go: its own callback, else its account's, else the app's.
    pub(crate) fn target_for(&self, number: Option<&str>) -> Option<&Target> {
        match self.accounts.callback_of(number) {
            Some(callback) => Some(&callback.target),
            None => self.target.as_ref(),
        }
    }

    /// Whether a timer is due.
    pub(crate) fn is_due(&self) -> bool {
        self.timers.next_due().is_some_and(|at| at <= self.clock.now())
    }

    /// Every name of a person, for fault rules.
    pub(crate) fn names_of(&self, user: &str) -> Vec<String> {
        let Some(user) = self.users.get(user) else { return vec![user.to_owned()] };
        let names = [Some(&user.key), user.wa_id.as_ref(), user.user_id.as_ref()];
        names.into_iter().flatten().cloned().collect()
    }

    /// Show typing on the phone until `until`.
    pub(crate) fn start_typing(&mut self, number: &str, user: &str, until: Millis) {
        self.chats.set_typing(number, user, until);
        self.feed.typing(number, user, true);
        let (number, user) = (number.to_owned(), user.to_owned());
        self.timers.push(until, Job::TypingEnds { number, user, until });
    }

    /// A summary for people and for assertions.
    pub(crate) fn to_json(&self) -> Value {
        let users: Vec<_> = self.users.all().collect();
        json!({
            "seed": self.ids.seed(),
            "now": self.clock.now(),
            "clock": self.clock.mode(),
            "waba_id": self.world.waba_id,
            "app_id": self.world.app_id,
            "phone_numbers": self.world.numbers,
            "users": users,
            "limits": self.limits.switches,
            "callback_url": self.target.as_ref().map(|target| target.url.as_str()),
            "messages": self.chats.count(),
            "pending_timers": self.timers.len(),
        })
    }
}
