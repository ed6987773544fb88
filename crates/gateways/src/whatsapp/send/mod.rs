//! Sending through the Graph API.
//!
//! Meta has no idempotency key, so each send ends in one of four ways, and the only forbidden mistake is to call a
//! message not sent that may have gone out (reliability.md 6). Nothing is retried here.

mod client;
mod outcome;
mod request;

pub use client::GraphClient;
pub use outcome::SendOutcome;
pub use request::{Content, Outgoing, Recipient};
