//! Tests of the emulator over real HTTP, with a callback that records the webhooks.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod callback;
mod contacts;
mod contents;
mod control;

mod determinism;
mod echoes;
mod errors;
mod exposure;
mod fault_actions;
mod faults;
mod feed;
mod harness;
mod limits;
mod media;
mod orders;

mod receipts;
mod sends;
mod statuses;
mod taps;
mod templates;
mod transport;
mod webhooks;
