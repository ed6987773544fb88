//! Delivery log: each webhook body once, with all its attempts.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::signing::fingerprint;
use crate::clock::Millis;

/// Delay after each failed attempt; the last one repeats.
const RETRY_DELAYS: [Millis; 6] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
/// Time after the first attempt when retries end.
const RETRY_FOR: Millis = 7 * 24 * 3_600_000;

/// Retry behaviour of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptKind {
    /// Part of the retry sequence.
    Regular,
    /// A duplicate or a redelivery: its failure is not retried.
    Extra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// An attempt is due, open or will be retried.
    Pending,
    /// The receiver answered 200.
    Delivered,
    /// Retries ended without a 200.
    GivenUp,
    /// Dropped by a fault or because the app is unsubscribed.
    Lost,
    /// Held back on request (`deliver: false`) or for lack of a callback; sent by a flush.
    Held,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    at: Millis,
    url: String,
    status: Option<u16>,
    ms: u64,
    error: Option<String>,
}

pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) event: String,
    /// Number whose callback receives it.
    pub(crate) number: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) state: DeliveryState,
    pub(crate) body: Bytes,
    pub(crate) signature: Option<String>,
    failures: usize,
    first_attempt: Option<Millis>,
    attempts: Vec<Attempt>,
}

impl Delivery {
    pub(crate) fn new(
        id: u64,
        event: String,
        number: Option<String>,
        created_at: Millis,
        state: DeliveryState,
        body: Bytes,
        signature: Option<String>,
    ) -> Self {
        Self {
            id,
            event,
            number,
            created_at,
            state,
            body,
            signature,
            failures: 0,
            first_attempt: None,
            attempts: Vec::new(),
        }
    }

    /// Records an attempt. Returns the time of the next one.
    pub(crate) fn record(&mut self, kind: AttemptKind, attempt: Attempt) -> Option<Millis> {
        let now = attempt.at;
        let first = *self.first_attempt.get_or_insert(now);
        let success = attempt.status == Some(200);
        self.attempts.push(attempt);
        if success {
            self.state = DeliveryState::Delivered;
        }
        if self.state != DeliveryState::Pending || kind == AttemptKind::Extra {
            return None;
        }
        let delay = RETRY_DELAYS[self.failures.min(RETRY_DELAYS.len() - 1)];
        self.failures += 1;
        if now + delay > first + RETRY_FOR {
            self.state = DeliveryState::GivenUp;
            return None;
        }
        Some(now + delay)
    }

    pub(crate) fn was_attempted(&self) -> bool {
        !self.attempts.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "event": self.event,
            "created_at": self.created_at,
            "state": self.state,
            "body": String::from_utf8_lossy(&self.body),
            "body_sha256": fingerprint(&self.body),
            "signature": self.signature,
            "attempts": self.attempts,
        })
    }
}

impl Attempt {
    pub(crate) fn new(at: Millis, url: &str, ms: u64, outcome: Result<u16, String>) -> Self {
        let (status, error) = match outcome {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        Self { at, url: url.to_owned(), status, ms, error }
    }
}

#[derive(Default)]
pub(crate) struct Deliveries {
    by_id: BTreeMap<u64, Delivery>,
}

impl Deliveries {
    pub(crate) fn add(&mut self, delivery: Delivery) {
        self.by_id.insert(delivery.id, delivery);
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Delivery> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Delivery> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn since(&self, id: u64) -> impl Iterator<Item = &Delivery> {
        self.by_id.range(id.saturating_add(1)..).map(|(_, delivery)| delivery)
    }

    /// Deliveries that a flush attempts: pending or held.
    pub(crate) fn open(&self) -> Vec<(u64, DeliveryState)> {
        let open = |d: &&Delivery| matches!(d.state, DeliveryState::Pending | DeliveryState::Held);
        self.by_id.values().filter(open).map(|d| (d.id, d.state)).collect()
    }
}
