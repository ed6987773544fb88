//! Open connections: their number, their time limits, and which of them give way to new ones
//! (docs/spec/reliability.md 8).
//!
//! The loop is ours because `axum::serve` sets no time limit and accepts without bound. Order of
//! the files: limits, admission, stream, accept.

mod accept;
mod admission;
mod limits;
mod stream;

pub(crate) use accept::serve;
pub use limits::ConnectionLimits;
pub(crate) use limits::{bind, raise_open_files};
