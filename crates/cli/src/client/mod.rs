//! HTTP clients of the command line: the REST API as any customer sees it, and the emulator's control API.

mod api;
mod control;
mod events;
mod http;

pub use api::{Api, Execution, Session};
pub use control::{Control, LOOK_EVERY, Message};
pub use events::Event;
pub use http::Refused;
