//! Sends messages through the Graph API.
//!
//! Meta has no idempotency key. Each send therefore has one of four outcomes, and a message that
//! may have been sent must never count as not sent (docs/spec/reliability.md 6). Nothing is retried
//! here.

mod client;
mod content;
pub(super) mod outcome;
mod request;

pub use client::{Exchange, GraphClient, Posted};
pub use content::{Button, Content, Interactive, Media, MediaKind, MediaSource, Row, Section, TemplateSend};
pub use outcome::SendOutcome;
pub use request::{Outgoing, Recipient};
