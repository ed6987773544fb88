//! Tests of the real binary.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod agents_guide;
#[cfg(feature = "failpoints")]
mod crash;
mod data_folder;
mod demo;
mod dev;
#[cfg(target_os = "linux")]
mod flood;
mod operators;
mod program;
mod readme;
mod usage;
