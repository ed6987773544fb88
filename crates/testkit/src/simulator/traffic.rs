//! What travels between Meta and the nodes: webhook items, deliveries and sends.

use domain::{Span, Timestamp, ids::OutboxId};

/// Signs webhooks.
pub(super) const APP_SECRET: &str = "simulated-app-secret";
/// Of the shared number.
pub(super) const PHONE_NUMBER_ID: &str = "100000000000001";
/// The number itself.
pub(super) const PHONE_NUMBER: &str = "15550001111";
/// Signs tracking tokens, on all nodes.
pub(super) const TRACKING_KEY: [u8; 32] = [7; 32];

/// How long a send with a lost answer waits for a status.
pub(super) const WINDOW: Span = Span::from_secs(30);

/// Something that Meta has to tell.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// When it leaves Meta.
    pub due: Timestamp,
    /// When it happened.
    pub written: Timestamp,
    pub told: Told,
}

#[derive(Debug, Clone)]
pub(super) enum Told {
    /// A person wrote.
    Message { person: usize, wamid: String, text: String },
    /// Something became of what we sent.
    Status { outbox: OutboxId, attempt: u32, person: usize, wamid: String, opaque: String, word: &'static str },
}

/// A webhook that Meta delivers until it is taken.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// The next attempt.
    pub at: Timestamp,
    pub tries: u32,
    /// A copy of one that was taken: tried once.
    pub extra: bool,
    pub items: Vec<Told>,
    pub body: Vec<u8>,
}

/// One request to send.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub number: u32,
    pub opened: Timestamp,
    pub accepted: Option<Timestamp>,
    /// When a status of it was stored by us.
    pub told: Option<Timestamp>,
    /// What was stored of it.
    pub words: Vec<&'static str>,
}

/// A request on its way to Meta, which its sender's death may or may not stop.
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
