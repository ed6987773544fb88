//! Sends what is in the outbox.

mod attempt;
mod send_now;
mod upload;

pub(crate) use attempt::{access_token, is_file, post, run, step};
pub use send_now::{carry_out, overhear};
