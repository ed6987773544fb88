//! Back-off of all workers while the database's disk is full.
//!
//! Work that fails stays due. Without a pause each piece would be tried again four times a second,
//! with a log line each.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Shared by the loops of a node.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<State>>);

#[derive(Debug)]
struct State {
    since: Instant,
    pause: Duration,
    /// Nothing is tried before.
    until: Instant,
    logged: Instant,
}

impl Outage {
    /// Records a failure. `false` if it is none of a full disk, which the caller logs.
    pub(super) fn note(&self, error: &store::Error) -> bool {
        self.note_at(error, Instant::now())
    }

    fn note_at(&self, error: &store::Error, now: Instant) -> bool {
        if !matches!(error, store::Error::DiskFull(_)) {
            return false;
        }
        metrics::counter!("chasqui_db_disk_full_total").increment(1);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            None => {
                tracing::error!(%error, "nothing can be written; work waits until there is room");
                let until = now + FIRST_PAUSE;
                *state = Some(State { since: now, pause: FIRST_PAUSE, until, logged: now });
            }
            // Others of the same round fail as well.
            Some(state) if now < state.until => {}
            Some(state) => {
                state.pause = (state.pause * 2).min(LONGEST_PAUSE);
                state.until = now + state.pause;
                if now - state.logged >= LOG_EVERY {
                    state.logged = now;
                    let seconds = (now - state.since).as_secs();
                    tracing::error!(%error, seconds, "still nothing can be written; work waits until there is room");
                }
            }
        }
        true
    }

    /// Records work that was done: there is room again.
    pub(super) fn is_over(&self) {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(state) = ended {
            tracing::info!(seconds = state.since.elapsed().as_secs(), "the database can be written again");
        }
    }

    /// Time until the next try, during an outage.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wait_at(Instant::now())
    }

    fn wait_at(&self, now: Instant) -> Option<Duration> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = state.as_ref()?.until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_end_with_the_outage() {
        let (outage, full) = (Outage::default(), store::Error::DiskFull("x".into()));
        let mut now = Instant::now();
        assert!(!outage.note_at(&store::Error::Unavailable("x".into()), now) && outage.wait_at(now).is_none());
        let mut pauses = Vec::new();
        for _ in 0..7 {
            for _ in 0..2 {
                assert!(outage.note_at(&full, now), "the second failure of a round changes nothing");
            }
            let pause = outage.wait_at(now).unwrap();
            pauses.push(pause.as_millis());
            now += pause;
            assert!(outage.wait_at(now).is_none(), "the next try");
        }
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        outage.is_over();
        assert!(outage.note_at(&full, now));
        assert_eq!(outage.wait_at(now).unwrap(), FIRST_PAUSE);
    }
}
