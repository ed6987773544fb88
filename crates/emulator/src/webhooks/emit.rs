//! Conversion of an event into a signed and queued delivery. Webhook faults apply here.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    AttemptKind, Delivery, DeliveryState, payload,
    signing::{ascii_json, signature},
};
use crate::{
    clock::Millis,
    faults::{Action, Subject, Surface, cut_at},
    state::State,
    timers::Job,
};

/// Subject of a webhook, for the log and for fault rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    /// `message`, `status:sent`, …, or `raw`.
    pub(crate) name: String,
    pub(crate) number: Option<String>,
    /// All names of the contact.
    pub(crate) people: Vec<String>,
    /// Message type.
    pub(crate) kind: Option<String>,
    /// Hold it back until a flush.
    pub(crate) hold: bool,
    /// Delay of the first attempt.
    pub(crate) delay: Millis,
}

impl State {
    /// Queues a webhook. Returns its delivery id.
    pub(crate) fn emit(&mut self, event: Event, body: &Value) -> u64 {
        self.emit_bytes(event, ascii_json(body))
    }

    /// Queues a webhook whose bytes are sent unchanged.
    pub(crate) fn emit_bytes(&mut self, event: Event, body: Bytes) -> u64 {
        let now = self.clock.now();
        let fault = self.faults.take(&event_subject(&event), now, &mut self.ids, |action| action.changes_a_webhook());
        let fault = fault.map(|(_, action)| action);
        if let Some(Action::Batch { n }) = fault
            && let Some(id) = self.join_batch(&event, &body, n)
        {
            return id;
        }
        let body = match fault {
            Some(Action::InterleaveUnknown) => with_unknown(&body),
            _ => body,
        };
        let signature = match fault {
            Some(Action::NoSignature) => None,
            Some(Action::BadSignature) => Some(signature("not-the-app-secret", &body)),
            _ => Some(signature(&self.world.app_secret, &body)),
        };
        // The signature covers the whole body; a truncated one arrives.
        let body = match fault {
            Some(Action::Truncate { bytes }) => body.slice(..cut_at(body.len(), bytes)),
            _ => body,
        };
        let state = match fault {
            Some(Action::Lose) => DeliveryState::Lost,
            // An unsubscribed app receives nothing, now or later.
            _ if self.accounts.subscribed == Some(false) => DeliveryState::Lost,
            _ if event.hold || self.target_for(event.number.as_deref()).is_none() => DeliveryState::Held,
            _ => DeliveryState::Pending,
        };
        let id = self.ids.count("delivery");
        self.deliveries.add(Delivery::new(id, event.name, event.number, now, state, body, signature));
        if state != DeliveryState::Pending {
            return id;
        }
        if matches!(fault, Some(Action::Swap)) {
            self.hold_for_swap(id);
            return id;
        }
        self.queue_attempts(id, now + event.delay, fault);
        if let Some(earlier) = self.buffer.take_swapped() {
            self.queue_attempts(earlier, now + event.delay + 1, None);
        }
        id
    }

    /// Queues a webhook about the account.
    pub(crate) fn emit_account_event(&mut self, field: &str, event: &str, value: Value) -> u64 {
        let time = Some(self.clock.now() / 1000);
        let body = payload::envelope(&self.world, field, value, time);
        self.emit(Event { name: event.to_owned(), ..Event::default() }, &body)
    }

    pub(super) fn queue_attempts(&mut self, delivery: u64, at: Millis, fault: Option<Action>) {
        let (at, copies, extra, gap) = match fault {
            Some(Action::Delay { ms }) => (at + ms, 1, 0, 0),
            Some(Action::Duplicate { n, gap_ms: 0 }) => (at, n, 0, 0),
            Some(Action::Duplicate { n, gap_ms }) => (at, 1, n - 1, gap_ms),
            _ => (at, 1, 0, 0),
        };
        let attempt = |kind, copies| Job::Attempt { delivery, kind, copies };
        self.timers.push(at, attempt(AttemptKind::Regular, copies));
        for nth in 1..=u64::from(extra) {
            self.timers.push(at + nth * gap, attempt(AttemptKind::Extra, 1));
        }
    }
}

fn event_subject(event: &Event) -> Subject {
    Subject {
        surface: Some(Surface::Webhook),
        number: event.number.clone(),
        people: event.people.clone(),
        kind: event.kind.clone(),
        event: Some(event.name.clone()),
        ..Subject::default()
    }
}

/// Adds unknown fields, changes, messages and statuses that no version of the API has.
fn with_unknown(body: &Bytes) -> Bytes {
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    let unknown = |word: &str| json!({"field": word, "value": {"novelty": [1, {"deep": null}]}});
    for entry in json["entry"].as_array_mut().into_iter().flatten() {
        entry["novelty"] = json!("x");
        let Some(changes) = entry["changes"].as_array_mut() else { continue };
        for change in changes.iter_mut() {
            change["value"]["novelty"] = json!({"a": 1});
            if let Some(messages) = change["value"]["messages"].as_array_mut() {
                let odd = json!({"id": "wamid.novelty", "timestamp": "1", "type": "hologram", "hologram": {}});
                messages.insert(0, odd);
            }
            if let Some(statuses) = change["value"]["statuses"].as_array_mut() {
                statuses.insert(0, json!({"id": "wamid.novelty", "status": "imagined", "timestamp": "1"}));
            }
        }
        changes.insert(0, unknown("novelty_before"));
        changes.push(unknown("novelty_after"));
    }
    ascii_json(&json)
}
