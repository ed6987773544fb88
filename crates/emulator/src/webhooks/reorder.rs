//! Webhooks that wait for others: to leave together, or after the next one.

use serde_json::{Value, json};

use super::{
    Delivery, DeliveryState, Event,
    signing::{ascii_json, signature},
};
use crate::{clock::Millis, state::State, timers::Job};

/// How long the first waits for the others.
const LINGER: Millis = 1_000;

#[derive(Default)]
pub(crate) struct Kept {
    /// Counts what was kept, so that a late timer lets nothing newer go.
    count: u64,
    batch: Option<Batch>,
    swapped: Option<(u64, u64)>,
}

struct Batch {
    token: u64,
    delivery: u64,
    entries: Vec<Value>,
    wanted: usize,
}

impl Kept {
    /// The one that waits for the next to leave first.
    pub(super) fn take_swapped(&mut self) -> Option<u64> {
        self.swapped.take().map(|(_, delivery)| delivery)
    }
}

impl State {
    /// Keep a delivery until the next one was queued.
    pub(super) fn keep_back(&mut self, delivery: u64) {
        self.kept.count += 1;
        let token = self.kept.count;
        if let Some((_, earlier)) = self.kept.swapped.replace((token, delivery)) {
            let now = self.clock.now();
            self.queue_attempts(earlier, now, None);
        }
        self.timers.push(self.clock.now() + LINGER, Job::Linger { batch: token });
    }

    /// Put an event into the open batch, or begin one; the answer is the delivery of all of them. `None` for what cannot
    /// be put together with others.
    pub(super) fn join_batch(&mut self, event: &Event, body: &[u8], wanted: u32) -> Option<u64> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let entries = json["entry"].as_array()?.clone();
        if event.hold || self.target_for(event.number.as_deref()).is_none() {
            return None;
        }
        if let Some(batch) = &mut self.kept.batch {
            batch.entries.extend(entries);
            let (token, delivery, full) = (batch.token, batch.delivery, batch.entries.len() >= batch.wanted);
            if full {
                self.let_go(token);
            }
            return Some(delivery);
        }
        let now = self.clock.now();
        let delivery = self.ids.count("delivery");
        let (name, number) = (format!("batch of {}", event.name), event.number.clone());
        self.deliveries.add(Delivery::new(
            delivery,
            name,
            number,
            now,
            DeliveryState::Pending,
            bytes::Bytes::new(),
            None,
        ));
        self.kept.count += 1;
        let token = self.kept.count;
        self.kept.batch = Some(Batch { token, delivery, entries, wanted: wanted as usize });
        self.timers.push(now + LINGER, Job::Linger { batch: token });
        Some(delivery)
    }

    /// Send what was kept under this number, if it is still there.
    pub(crate) fn let_go(&mut self, token: u64) {
        let now = self.clock.now();
        if let Some(batch) = self.kept.batch.take_if(|batch| batch.token == token) {
            let body = ascii_json(&json!({"object": "whatsapp_business_account", "entry": batch.entries}));
            if let Some(delivery) = self.deliveries.get_mut(batch.delivery) {
                delivery.signature = Some(signature(&self.world.app_secret, &body));
                delivery.body = body;
            }
            self.queue_attempts(batch.delivery, now, None);
        }
        if let Some((_, delivery)) = self.kept.swapped.take_if(|(kept, _)| *kept == token) {
            self.queue_attempts(delivery, now, None);
        }
    }
}
