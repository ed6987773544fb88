//! What will happen later: a queue ordered by due time, ties by creation.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::{clock::Millis, statuses::StatusKind, webhooks::AttemptKind};

/// One thing that happens when its time comes.
pub(crate) enum Job {
    /// A message reaches its next status, if the phone allows it then.
    Status { message: String, status: StatusKind },
    /// A message that was held begins its course.
    Release { message: String },
    /// A template is decided.
    Template { id: String, status: String },
    /// Events that were kept for a batch, or for a change of order, leave.
    Linger { batch: u64 },
    /// A webhook is posted, `copies` times at once.
    Attempt { delivery: u64, kind: AttemptKind, copies: u32 },
    /// The typing bubble on the phone ends.
    TypingEnds { number: String, user: String, until: Millis },
    /// Somebody waits for this moment.
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

    /// The earliest job due at `until` or before, with its time.
    pub(crate) fn pop_due(&mut self, until: Millis) -> Option<(Millis, Job)> {
        let entry = self.queue.first_entry()?;
        let at = entry.key().0;
        (at <= until).then(|| (at, entry.remove()))
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
