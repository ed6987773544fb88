//! Tests of the Graph API client against the emulator, which no other crate can depend on together.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod graph_api;
