//! The interface of a protocol to its events: each is folded into the answer.

use super::{Excess, Room};
use serde_json::Value;

/// Content of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum Kind {
    /// Text, reasoning or a part of a call.
    Content,
    /// Everything else: roles, usage, pings.
    Other,
    /// The last event: what follows is not read.
    Last,
}

/// An event that was folded, or too much of them.
pub(in crate::llm) type Taken = Result<Kind, Excess>;

/// Events of one answer, folded so far.
pub(in crate::llm) trait Fold: Send {
    fn take(&mut self, event: Value, room: &mut Room) -> Taken;

    /// True once the server said how the answer ended.
    fn has_ended(&self) -> bool;

    /// The answer as it comes without streaming, or the error that ended the stream.
    fn into_answer(self: Box<Self>) -> Value;
}
