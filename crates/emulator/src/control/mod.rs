//! Control API at `/_emulator/v1`: acts for the contacts, moves the clock and shows internal state.
//! It needs a token unless the emulator listens on loopback only (`guard.rs`).

mod accounts;
mod actions;
mod chats;
mod clock;
mod echo;
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

pub(crate) use error::ControlError;
pub(crate) use router::router;
