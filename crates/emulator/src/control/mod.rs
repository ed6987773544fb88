//! The control API at `/_emulator/v1`: it plays the people, moves the clock and looks behind the
//! curtain. Whoever reaches the port may use it; that is why the emulator listens on loopback.

mod accounts;
mod chats;
mod clock;
mod actions;
mod error;
mod events;
mod faults;
mod inbound;
mod input;
mod media;
mod requests;
mod router;
mod taps;
mod users;
mod webhooks;
mod world;

pub(crate) use router::router;
