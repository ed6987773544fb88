//! Timer queue, ordered by due time, ties by creation.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::{clock::Millis, messages::StatusKind, webhooks::AttemptKind};

/// Work of one timer.
pub(crate) enum Job {
    /// Reports a message's next status, if the phone allows it then.
    Status { message: String, status: StatusKind },
    /// Schedules the statuses of a held message.
    ReleaseHeld { message: String },
    /// Decides a template's review.
    Template { id: String, status: String },
    /// Sends webhooks held back by a `batch` or `swap` fault.
    FlushBuffer { token: u64 },
    /// Posts a webhook, `copies` times at once.
    Attempt { delivery: u64, kind: AttemptKind, copies: u32 },
    /// Ends the typing indicator on the phone.
    TypingEnds { number: String, user: String, until: Millis },
    /// Wakes a request that waits for this moment.
    Wake(oneshot::Sender<()>),
}

#[derive(Default)]
pub(crate) struct Timers {
    queue: BTreeMap<(Millis, u64), Job>,
    created: u64,
}

impl Timers {
    pub(crate) fn push(&mut self, at: Millis, job: Job) {
        self.created += 1;
        self.queue.insert((at, self.created), job);
    }

    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Removes the earliest job due at `until` or before.
    pub(crate) fn pop_due(&mut self, until: Millis) -> Option<(Millis, Job)> {
        let entry = self.queue.first_entry()?;
        let at = entry.key().0;
        (at <= until).then(|| (at, entry.remove()))
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
