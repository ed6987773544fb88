//! The emulator over real HTTP, with a callback that records what it gets.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod harness;
mod callback;
mod contents;
mod control;
mod damage;
mod determinism;
mod errors;
mod faults;
mod feed;
mod limits;
mod media;
mod orders;
mod people;
mod receipts;
mod sends;
mod statuses;
mod taps;
mod templates;
mod transport;
mod webhooks;
