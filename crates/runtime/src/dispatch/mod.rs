//! Sends outbox entries to WhatsApp, in order per conversation.
//!
//! Meta has no idempotency key, so a lost answer could mean a double send. The attempt is committed
//! before the request is opened, each request carries a token that statuses echo, and an attempt
//! with an unknown result is repeated only if no such status arrives in time
//! (docs/spec/reliability.md 6).

mod attempt;
mod decide;
mod send_and_wait;
mod settle;
mod upload;

pub(crate) use attempt::{run, step};
pub use send_and_wait::send_and_wait;
pub(crate) use settle::park;
