//! The emulator over real HTTP, with a callback that records what it gets.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bench;
mod callback;
mod control;
mod determinism;
mod errors;
mod faults;
mod feed;
mod limits;
mod orders;
mod people;
mod receipts;
mod sends;
mod statuses;
mod transport;
mod webhooks;
