//! The WhatsApp Cloud API: webhooks, sends, and errors.
//!
//! Reading is tolerant: unknown parts are kept, and one bad element never blocks the others.
//! Sending is exact about one fact: whether a message may have been sent.

mod call;
pub mod errors;
pub mod media;
pub mod numbers;
pub mod send;
mod sign_up;
pub mod signature;
pub mod templates;
pub mod token;
pub mod versions;
pub mod webhook;

pub use call::CallError;
pub use errors::{ErrorClass, classify};
pub use send::{Content, Exchange, GraphClient, Outgoing, Posted, Recipient, SendOutcome};
pub use token::Tracking;
pub use versions::GraphVersion;
