//! From an event to a delivery: the body is fixed, signed and queued, and faults have their say.

use serde_json::Value;

use super::{
    AttemptKind, Delivery, DeliveryState,
    signing::{ascii_json, signature},
};
use crate::{
    clock::Millis,
    faults::{Action, Subject, Surface},
    state::State,
    timers::Job,
};

/// What a webhook is about, for the log and for fault rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    /// `message`, `status:sent`, …, or `raw`.
    pub(crate) name: String,
    pub(crate) number: Option<String>,
    /// The person, by any of their names.
    pub(crate) people: Vec<String>,
    /// Type of the message it is about.
    pub(crate) kind: Option<String>,
    /// Keep it back until a flush.
    pub(crate) hold: bool,
    /// Later than now.
    pub(crate) delay: Millis,
}

impl State {
    /// Queue a webhook and answer with its delivery id.
    pub(crate) fn emit(&mut self, event: Event, body: &Value) -> u64 {
        self.emit_bytes(event, ascii_json(body))
    }

    /// The same for bytes that are sent as they are.
    pub(crate) fn emit_bytes(&mut self, event: Event, body: bytes::Bytes) -> u64 {
        let now = self.clock.now();
        let id = self.ids.count("delivery");
        let fault = self.faults.take(&event_subject(&event), now, &mut self.ids, |action| action.changes_a_webhook());
        let fault = fault.map(|(_, action)| action);
        let signature = match fault {
            Some(Action::NoSignature) => None,
            Some(Action::BadSignature) => Some(signature("not-the-app-secret", &body)),
            _ => Some(signature(&self.world.app_secret, &body)),
        };
        let state = match fault {
            Some(Action::Lose) => DeliveryState::Lost,
            _ if event.hold || self.target.is_none() => DeliveryState::Held,
            _ => DeliveryState::Pending,
        };
        self.deliveries.add(Delivery::new(id, event.name, now, state, body, signature));
        if state == DeliveryState::Pending {
            self.queue_attempts(id, now + event.delay, fault);
        }
        id
    }

    fn queue_attempts(&mut self, delivery: u64, at: Millis, fault: Option<Action>) {
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
