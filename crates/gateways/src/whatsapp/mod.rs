//! The WhatsApp Cloud API: what Meta sends us, what we send to Meta, and what its errors mean.
//!
//! Reading is forgiving (unknown things are kept, one bad element never blocks its siblings); sending is exact about the
//! one thing that matters: whether a message may have gone out.

mod call;
pub mod errors;
pub mod media;
pub mod numbers;
pub mod send;
pub mod signature;
pub mod templates;
pub mod token;
pub mod webhook;

pub use call::CallError;
pub use errors::{ErrorClass, classify};
pub use send::{Content, Exchange, GraphClient, Outgoing, Posted, Recipient, SendOutcome};
pub use token::Tracking;
