//! The outbox: queuing messages, and delivering the outcome of a send to its execution.

mod content;
mod disclosure;
mod enqueue;
mod not_sendable;
mod outcome;
mod outside_window;
mod template;

pub use content::{EntryContent, Payload, PendingUpload};
pub use enqueue::{NewEntry, enqueue, outbox_id};
pub use not_sendable::NotSendable;
pub(crate) use outcome::deliver_outcome;
