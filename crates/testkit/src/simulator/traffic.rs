//! What travels between Meta and the nodes: webhook items, deliveries and sends.

use domain::{Span, Timestamp, ids::OutboxId};

/// Key of webhook signatures.
pub(super) const APP_SECRET: &str = "simulated-app-secret";
/// Graph id of the sandbox number.
pub(super) const PHONE_NUMBER_ID: &str = "100000000000001";
/// Dialled form of the sandbox number.
pub(super) const PHONE_NUMBER: &str = "15550001111";
/// Key of tracking tokens, the same on all nodes.
pub(super) const TRACKING_KEY: [u8; 32] = [7; 32];

/// Reconcile window: a send with a lost answer waits this long for a status.
pub(super) const WINDOW: Span = Span::from_secs(30);

/// Event that Meta reports in a webhook.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Time of the webhook.
    pub due: Timestamp,
    /// Time of the event.
    pub occurred: Timestamp,
    pub event: Event,
}

#[derive(Debug, Clone)]
pub(super) enum Event {
    /// Message from a contact.
    Message { person: usize, wamid: String, text: String },
    /// Status of a message from the business.
    Status { outbox: OutboxId, attempt: u32, person: usize, wamid: String, opaque: String, word: &'static str },
}

/// Webhook that Meta delivers until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// Time of the next attempt.
    pub at: Timestamp,
    pub tries: u32,
    /// Duplicate of an acknowledged webhook, tried once.
    pub extra: bool,
    pub items: Vec<Event>,
    pub body: Vec<u8>,
}

/// One request to send.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub number: u32,
    pub opened: Timestamp,
    pub accepted: Option<Timestamp>,
    /// Time when a node stored its first status.
    pub status_at: Option<Timestamp>,
    /// Stored statuses.
    pub statuses: Vec<&'static str>,
}

/// Request that has been sent to Meta. A crash of the sender may or may not stop it.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub at: Timestamp,
    pub node: usize,
    pub outbox: OutboxId,
    pub attempt: u32,
    pub opaque: String,
    pub person: usize,
    pub text: String,
    pub wamid: String,
}
