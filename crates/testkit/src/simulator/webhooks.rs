//! Meta's webhooks: messages and statuses, delivered at least once and in any order.

use super::{
    chance::Chance,
    people,
    traffic::{Arrival, Delivery, Event, Item, PHONE_NUMBER, PHONE_NUMBER_ID},
    world::Inner,
};
use domain::{Span, Timestamp};
use serde_json::{Value, json};

/// Time limit for the answer to a webhook.
const PATIENCE: Span = Span::from_secs(10);

impl Inner {
    /// Accepts the requests to send that have arrived.
    pub(super) fn accept_arrived(&mut self, now: Timestamp) {
        let arrived: Vec<Arrival> = self.in_flight.extract_if(.., |arrival| arrival.at <= now).collect();
        for arrival in arrived {
            self.history.note(now, format!("Meta accepted {} attempt {}", arrival.outbox, arrival.attempt));
            let attempts = self.sends.entry(arrival.outbox).or_default();
            if let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.number == arrival.attempt) {
                attempt.accepted = Some(now);
            }
            self.people[arrival.person].received.push(arrival.text.clone());
            self.plan_statuses(&arrival, now);
        }
    }

    /// Schedules the statuses of an accepted message.
    fn plan_statuses(&mut self, arrival: &Arrival, now: Timestamp) {
        let prompt_statuses = self.profile.prompt_statuses || self.healed;
        let failed = self.fault(self.profile.refusals / 4);
        let words: &[&'static str] = match self.chance.below(4) {
            _ if failed => &["sent", "failed"],
            0 => &["sent", "delivered"],
            1 => &["delivered", "sent", "read"],
            _ => &["sent", "delivered", "read"],
        };
        let is_late = !prompt_statuses && self.chance.permille(60);
        let mut at = now;
        for (place, word) in words.iter().copied().enumerate() {
            at = at
                + match (prompt_statuses, place) {
                    (true, 0) => self.chance.millis(20, 4_000),
                    (false, 0) if self.chance.permille(100) => self.chance.millis(20_000, 300_000),
                    _ => self.chance.millis(20, 6_000),
                };
            let due = if is_late { at + Span::from_secs(400) } else { at };
            let event = Event::Status {
                outbox: arrival.outbox,
                attempt: arrival.attempt,
                person: arrival.person,
                wamid: arrival.wamid.clone(),
                opaque: arrival.opaque.clone(),
                word,
            };
            self.outgoing.push(Item { due, occurred: at, event });
        }
    }

    /// Drops some of the open requests of a crashed node.
    pub(super) fn drop_requests(&mut self, node: usize) {
        let mut kept = Vec::new();
        for arrival in std::mem::take(&mut self.in_flight) {
            if arrival.node != node || self.chance.permille(500) {
                kept.push(arrival);
            }
        }
        self.in_flight = kept;
    }

    /// Puts due events into webhooks.
    pub(super) fn build_webhooks(&mut self, now: Timestamp) {
        let mut due: Vec<Item> = self.outgoing.extract_if(.., |item| item.due <= now).collect();
        due.sort_by_key(|item| item.due);
        let mut ready = Vec::new();
        for mut item in due {
            // An event is delayed only once.
            if item.due == item.occurred && self.fault(self.profile.late) && !self.must_be_on_time(&item) {
                item.due = now + self.delay();
                self.outgoing.push(item);
            } else {
                ready.push(item);
            }
        }
        if self.fault(self.profile.late) {
            self.chance.shuffle(&mut ready);
        }
        while !ready.is_empty() {
            let size = 1 + self.chance.below(4);
            let batch: Vec<Item> = ready.drain(..size.min(ready.len())).collect();
            let body = body(&batch, &self.people).to_string().into_bytes();
            let items: Vec<Event> = batch.into_iter().map(|item| item.event).collect();
            let parallel = if self.fault(self.profile.copies) { 1 + self.chance.below(4) } else { 0 };
            for copy in 0..=parallel {
                self.delivery_count += 1;
                let at = now + self.chance.millis(1, 60);
                let delivery = Delivery { at, tries: 0, extra: copy > 0, items: items.clone(), body: body.clone() };
                self.deliveries.insert(self.delivery_count, delivery);
            }
        }
    }

    /// True for statuses that an prompt_statuses Meta sends in time.
    fn must_be_on_time(&self, item: &Item) -> bool {
        self.profile.prompt_statuses && matches!(item.event, Event::Status { .. })
    }

    fn delay(&mut self) -> Span {
        match self.chance.below(10) {
            0..6 => self.chance.millis(50, 3_000),
            6..9 => self.chance.millis(3_000, 30_000),
            _ => self.chance.millis(30_000, 120_000),
        }
    }

    /// Delay before the next attempt.
    fn retry_after(&mut self, tries: u32) -> Span {
        if self.profile.prompt_statuses || self.healed {
            return self.chance.millis(300, 1_500);
        }
        self.chance.millis(300, 2_000) * i64::from(tries.min(6))
    }

    /// Begins an attempt and schedules the next one, unless the webhook is a duplicate.
    pub(super) fn attempt(&mut self, id: u64, now: Timestamp) -> Option<(Vec<u8>, Vec<Event>)> {
        let retry = self.retry_after(1);
        let delivery = self.deliveries.get_mut(&id)?;
        delivery.tries += 1;
        delivery.at = now + PATIENCE + retry;
        let (body, items, extra) = (delivery.body.clone(), delivery.items.clone(), delivery.extra);
        self.counts.duplicates += u64::from(delivery.tries > 1 || extra);
        if extra {
            self.deliveries.remove(&id);
        }
        Some((body, items))
    }

    /// Schedules a retry after a failed attempt.
    pub(super) fn retry_later(&mut self, id: u64, now: Timestamp) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let wait = self.retry_after(delivery.tries);
        if let Some(delivery) = self.deliveries.get_mut(&id) {
            delivery.at = now + wait;
        }
    }

    /// Records the 200 of a node, which is a promise even if Meta does not receive it.
    pub(super) fn acknowledged(&mut self, id: u64, items: &[Event], now: Timestamp) {
        for event in items {
            match event {
                Event::Message { wamid, .. } => {
                    if self.acked.insert(wamid.clone()) {
                        self.start_messages(wamid, now);
                    }
                }
                Event::Status { outbox, attempt, word, .. } => {
                    let attempts = self.sends.entry(*outbox).or_default();
                    if let Some(attempt) = attempts.iter_mut().find(|known| known.number == *attempt) {
                        attempt.status_at.get_or_insert(now);
                        attempt.statuses.push(word);
                    }
                }
            }
        }
        let Some(delivery) = self.deliveries.get(&id) else { return };
        if delivery.extra || self.fault(self.profile.acks_lost) {
            return self.retry_later(id, now);
        }
        if let Some(mut delivery) = self.deliveries.remove(&id)
            && self.fault(self.profile.copies)
        {
            delivery.extra = true;
            delivery.at = now + self.delay();
            self.delivery_count += 1;
            self.deliveries.insert(self.delivery_count, delivery);
        }
    }

    /// Schedules the messages of a contact whose code was acknowledged.
    fn start_messages(&mut self, wamid: &str, now: Timestamp) {
        let Some(person) = (0..self.people.len()).find(|person| people::code_wamid(*person) == wamid) else { return };
        let message_count = self.people[person].message_count;
        let mut chance: Chance = self.chance.split();
        let items = people::messages(person, message_count, now, &mut chance);
        self.counts.messages += items.len() as u64;
        self.outgoing.extend(items);
    }

    /// Time of Meta's next action.
    pub(super) fn next_meta_action(&self) -> Option<Timestamp> {
        let items = self.outgoing.iter().map(|item| item.due);
        let deliveries = self.deliveries.values().map(|delivery| delivery.at);
        let arrivals = self.in_flight.iter().map(|arrival| arrival.at);
        items.chain(deliveries).chain(arrivals).min()
    }
}

fn body(items: &[Item], people: &[people::Person]) -> Value {
    let mut contacts = Vec::new();
    let (mut messages, mut statuses) = (Vec::new(), Vec::new());
    for item in items {
        let at = item.occurred.secs().to_string();
        match &item.event {
            Event::Message { person, wamid, text } => {
                let phone = &people[*person].phone;
                contacts.push(json!({"wa_id": phone, "profile": {"name": format!("Person {person}")}}));
                messages
                    .push(json!({"from": phone, "id": wamid, "timestamp": at, "type": "text", "text": {"body": text}}));
            }
            Event::Status { person, wamid, opaque, word, .. } => {
                let mut status = json!({
                    "id": wamid, "status": word, "timestamp": at, "recipient_id": people[*person].phone,
                    "biz_opaque_callback_data": opaque,
                });
                if *word == "failed" {
                    status["errors"] = json!([{"code": 131_026, "title": "Message undeliverable"}]);
                }
                statuses.push(status);
            }
        }
    }
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": PHONE_NUMBER, "phone_number_id": PHONE_NUMBER_ID},
    });
    if !messages.is_empty() {
        value["contacts"] = json!(contacts);
        value["messages"] = json!(messages);
    }
    if !statuses.is_empty() {
        value["statuses"] = json!(statuses);
    }
    json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000002", "changes": [{"field": "messages", "value": value}]}]})
}
