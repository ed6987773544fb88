//! What Meta delivers, read with great tolerance (whatsapp-cloud-api.md 1.3 to 1.6).
//!
//! Only a body that is no JSON object is refused. Within one, whatever can be understood takes effect, the rest is kept
//! raw or counted. Nothing is de-duplicated here: only the database can do that safely.

mod delivery;
mod json;
mod message;
mod parse;
mod status;
mod template;

pub use delivery::{Delivery, InboundMessage, Item, Malformed, Status, StatusError, StatusUpdate};
pub use parse::parse;
pub use template::TemplateUpdate;
