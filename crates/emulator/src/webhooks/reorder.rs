//! `batch` and `swap` faults: webhooks that are sent together, or after the next one.

use serde_json::{Value, json};

use super::{
    Delivery, DeliveryState,
    buffer::Batch,
    emit::Event,
    signing::{ascii_json, signature},
};
use crate::{clock::Millis, state::State, timers::Job};

/// Longest time that a webhook waits for others.
const MAX_WAIT: Millis = 1_000;

impl State {
    /// Holds a delivery back until the next one is queued.
    pub(super) fn hold_for_swap(&mut self, delivery: u64) {
        self.buffer.count += 1;
        let token = self.buffer.count;
        if let Some((_, earlier)) = self.buffer.swapped.replace((token, delivery)) {
            let now = self.clock.now();
            self.queue_attempts(earlier, now, None);
        }
        self.timers.push(self.clock.now() + MAX_WAIT, Job::FlushBuffer { token });
    }

    /// Adds an event to the open batch, or opens one. Returns the delivery of the batch; `None` for
    /// an event that cannot be batched.
    pub(super) fn join_batch(&mut self, event: &Event, body: &[u8], wanted: u32) -> Option<u64> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let entries = json["entry"].as_array()?.clone();
        if event.hold || self.target_for(event.number.as_deref()).is_none() {
            return None;
        }
        if let Some(batch) = &mut self.buffer.batch {
            batch.entries.extend(entries);
            let (token, delivery, full) = (batch.token, batch.delivery, batch.entries.len() >= batch.wanted);
            if full {
                self.flush_buffer(token);
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
        self.buffer.count += 1;
        let token = self.buffer.count;
        self.buffer.batch = Some(Batch { token, delivery, entries, wanted: wanted as usize });
        self.timers.push(now + MAX_WAIT, Job::FlushBuffer { token });
        Some(delivery)
    }

    /// Sends what is buffered under this token, if it is still there.
    pub(crate) fn flush_buffer(&mut self, token: u64) {
        let now = self.clock.now();
        if let Some(batch) = self.buffer.batch.take_if(|batch| batch.token == token) {
            let body = ascii_json(&json!({"object": "whatsapp_business_account", "entry": batch.entries}));
            if let Some(delivery) = self.deliveries.get_mut(batch.delivery) {
                delivery.signature = Some(signature(&self.world.app_secret, &body));
                delivery.body = body;
            }
            self.queue_attempts(batch.delivery, now, None);
        }
        if let Some((_, delivery)) = self.buffer.swapped.take_if(|(kept, _)| *kept == token) {
            self.queue_attempts(delivery, now, None);
        }
    }
}
