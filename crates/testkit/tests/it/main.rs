//! The parts that meet only in the application, two at a time.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod graph_api;
