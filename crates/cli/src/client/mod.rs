//! HTTP clients of the command line: the REST API and the emulator's control API.

mod api;
mod control;
mod events;
mod http;
mod message;

pub use api::{Api, Execution, Session};
pub use control::{Control, NewFile, POLL_INTERVAL};
pub use events::Event;
pub use http::Refused;
pub use message::Message;
