//! Outgoing webhooks: body, signature, delivery and retries.

mod buffer;
mod deliveries;
mod emit;
mod handshake;
mod payload;
mod post;
mod reorder;
mod signing;
mod target;

pub(crate) use buffer::Buffer;
pub(crate) use deliveries::{AttemptKind, Deliveries, Delivery, DeliveryState};
pub(crate) use emit::Event;
pub(crate) use handshake::verify_callback;
pub(crate) use payload::{contact, envelope, messages_value};
pub(crate) use post::{Outgoing, client, post};
pub(crate) use signing::ascii_json;
pub(crate) use target::Target;
