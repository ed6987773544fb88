//! Dispatch of due timers to the code that handles them.

use crate::{
    state::State,
    timers::Job,
    webhooks::{AttemptKind, DeliveryState, Outgoing},
};

impl State {
    /// Runs the job of a due timer. Returns the webhooks to post.
    pub(crate) fn fire(&mut self, job: Job) -> Vec<Outgoing> {
        match job {
            Job::Status { message, status } => self.status_is_due(&message, status),
            Job::TypingEnds { number, user, until } => {
                // A newer indicator or a message may have replaced the one this timer is for.
                if self.chats.typing_until(&number, &user) == until {
                    self.feed.typing(&number, &user, false);
                }
            }
            Job::ReleaseHeld { message } => drop(self.schedule_statuses(&message, false)),
            Job::Template { id, status } => drop(self.decide_template(&id, &status, None, None)),
            Job::FlushBuffer { token } => self.flush_buffer(token),
            // The waiting request may be gone.
            Job::Wake(waiter) => drop(waiter.send(())),
            Job::Attempt { delivery, kind, copies } => return self.outgoing(delivery, kind, copies),
        }
        Vec::new()
    }

    /// Builds the posts of one due attempt. Only the first of several copies is retried.
    fn outgoing(&mut self, delivery: u64, kind: AttemptKind, copies: u32) -> Vec<Outgoing> {
        let at = self.clock.now();
        let Some(entry) = self.deliveries.get(delivery) else { return Vec::new() };
        let Some(target) = self.target_for(entry.number.as_deref()) else { return Vec::new() };
        let settled = entry.state != DeliveryState::Pending;
        if kind == AttemptKind::Regular && settled {
            return Vec::new();
        }
        let post = |kind| Outgoing {
            delivery,
            kind,
            at,
            target: target.clone(),
            timeout: self.callback_timeout,
            body: entry.body.clone(),
            signature: entry.signature.clone(),
        };
        let extras = (1..copies).map(|_| post(AttemptKind::Extra));
        std::iter::once(post(kind)).chain(extras).collect()
    }
}
