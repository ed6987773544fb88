//! Webhooks out: their bodies, their signatures, and their way to the callback.

mod deliveries;
mod emit;
mod handshake;
mod reorder;
mod payload;
mod post;
mod signing;
mod target;

pub(crate) use deliveries::{AttemptKind, Deliveries, Delivery, DeliveryState};
pub(crate) use emit::Event;
pub(crate) use handshake::shake_hands;
pub(crate) use reorder::Kept;
pub(crate) use payload::{contact, envelope, messages_value};
pub(crate) use post::{Outgoing, client, post};
pub(crate) use signing::ascii_json;
pub(crate) use target::Target;
