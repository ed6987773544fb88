//! Outgoing webhooks: signatures, and the guarded request.

mod client;
mod signature;

pub use client::{HookAnswer, HookClients, HookRequest};
pub use signature::{hex_signature, standard_signature};
