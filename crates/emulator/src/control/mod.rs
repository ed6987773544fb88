//! The control API at `/_emulator/v1`: it plays the people, moves the clock and looks behind the
//! curtain. Whoever reaches the port may use it; that is why the emulator listens on loopback.

mod chats;
mod clock;
mod error;
mod events;
mod faults;
mod inbound;
mod input;
mod requests;
mod router;
mod users;
mod webhooks;
mod world;

pub(crate) use router::router;
