//! Streamed answers: reads the server-sent events of a model and folds them into the value that its
//! server answers without streaming, so that each protocol has one reader.
//!
//! Nothing of a stream is used before its end: a cut one is a failure that is retried.

mod events;
mod fold;
mod merge;
mod room;
#[cfg(test)]
mod tests;

#[cfg(test)]
use events::Streamed;
pub(super) use events::{Broken, is_stream, looks_like_one, read, unreadable};
pub(super) use fold::{Fold, Kind, Taken};
pub(super) use merge::{merge, text_of};
pub(super) use room::{Excess, Room};
