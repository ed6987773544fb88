//! Webhooks held back by a `batch` or `swap` fault.

use serde_json::Value;

#[derive(Default)]
pub(crate) struct Buffer {
    /// Token of the latest item. Flush timers carry it, so that a late timer flushes nothing newer.
    pub(super) count: u64,
    pub(super) batch: Option<Batch>,
    pub(super) swapped: Option<(u64, u64)>,
}

pub(super) struct Batch {
    pub(super) token: u64,
    pub(super) delivery: u64,
    pub(super) entries: Vec<Value>,
    pub(super) wanted: usize,
}

impl Buffer {
    /// Removes the delivery that waits for the next one to be sent first.
    pub(super) fn take_swapped(&mut self) -> Option<u64> {
        self.swapped.take().map(|(_, delivery)| delivery)
    }
}
