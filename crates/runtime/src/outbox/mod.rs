//! Messages that are to be sent: the entry, and how it comes into the outbox.

mod enqueue;
mod entry;
mod template;

pub use enqueue::{NotSendable, Payload, Said, enqueue, outbox_id};
pub use entry::{Parcel, WaitingFile};
