//! HTTP clients of the command line: the REST API and the emulator's control API.

mod api;
mod control;
mod events;
mod http;

pub use api::{Api, Execution, Session};
pub use control::{Control, Message, POLL_INTERVAL};
pub use events::Event;
pub use http::Refused;
