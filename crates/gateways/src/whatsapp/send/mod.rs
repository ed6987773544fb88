//! Sending through the Graph API.
//!
//! Meta has no idempotency key, so each send ends in one of four ways, and the only forbidden mistake is to call a
//! message not sent that may have gone out (reliability.md 6). Nothing is retried here.

mod client;
mod content;
pub(super) mod outcome;
mod request;

pub use client::{Exchange, GraphClient, Posted};
pub use content::{Button, Content, Interactive, Media, MediaKind, MediaSource, Row, Section, TemplateSend};
pub use outcome::SendOutcome;
pub use request::{Outgoing, Recipient};
