//! Reads Meta's webhooks with tolerance (docs/spec/whatsapp-cloud-api.md 1.3 to 1.6).
//!
//! Refuses only a body that is not a JSON object. Parts that cannot be read are kept raw or
//! counted. Deduplication is left to the database.

mod delivery;
pub mod identity;
mod json;
mod message;
mod parse;
mod saved_contact;
mod status;
mod template;

pub use delivery::{Delivery, InboundMessage, Item, Malformed, SavedContact, Status, StatusError, StatusUpdate};
pub use parse::parse;
pub use template::TemplateUpdate;
