//! Whole state of the emulator. The lock around it is never held during network calls.

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
    webhooks::{Buffer, Deliveries, Target},
    world::World,
};

/// Default timeout of a callback.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct State {
    /// Number of resets. Results of attempts from before a reset are dropped.
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
    pub(crate) buffer: Buffer,
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
            buffer: Buffer::default(),
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

    /// Restores the initial state. The callback and the feed's listeners stay; a manual clock
    /// restarts.
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
        self.buffer = Buffer::default();
        self.requests = Requests::default();
        self.deliveries = Deliveries::default();
    }

    /// Callback of a number: its own, else its account's, else the app's.
    pub(crate) fn target_for(&self, number: Option<&str>) -> Option<&Target> {
        match self.accounts.callback_of(number) {
            Some(callback) => Some(&callback.target),
            None => self.target.as_ref(),
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        self.timers.next_due().is_some_and(|at| at <= self.clock.now())
    }

    /// Key, phone number and scoped id of a contact, for fault rules.
    pub(crate) fn names_of(&self, user: &str) -> Vec<String> {
        let Some(user) = self.users.get(user) else { return vec![user.to_owned()] };
        let names = [Some(&user.key), user.wa_id.as_ref(), user.user_id.as_ref()];
        names.into_iter().flatten().cloned().collect()
    }

    pub(crate) fn start_typing(&mut self, number: &str, user: &str, until: Millis) {
        self.chats.set_typing(number, user, until);
        self.feed.typing(number, user, true);
        let (number, user) = (number.to_owned(), user.to_owned());
        self.timers.push(until, Job::TypingEnds { number, user, until });
    }

    /// Summary for the control API.
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
