//! Rate limits of sends and the mode of the service window.
//!
//! The pair rate is not a token bucket: a burst borrows time, and nothing more is accepted until
//! the borrowed time has passed. The throughput limit counts accepted sends only. Inbound messages
//! are not charged, so that a load test of webhooks does not block the replies.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

const PER_SECOND: usize = 80;
const PAIR_SPACING: Millis = 6_000;
const PAIR_BURST: u32 = 45;

/// Handling of free-form messages outside the service window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WindowMode {
    /// Accepted, then reported as failed.
    Async,
    /// Refused at once.
    Sync,
    /// Accepted: the window is always open.
    Off,
}

/// Enabled limits.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Switches {
    pub(crate) pair_rate: bool,
    pub(crate) throughput: bool,
    /// Stored only: the tier is not enforced.
    pub(crate) messaging_tier: bool,
    pub(crate) window: WindowMode,
    /// Overrides the HTTP status of throttling errors.
    pub(crate) throttle_http: Option<u16>,
}

impl Default for Switches {
    fn default() -> Self {
        Self { pair_rate: true, throughput: true, messaging_tier: true, window: WindowMode::Async, throttle_http: None }
    }
}

/// Reason for a refused send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Throughput,
    PairRate,
}

struct Pair {
    free_at: Millis,
    burst_start: Millis,
    burst: u32,
}

#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) switches: Switches,
    accepted: BTreeMap<String, VecDeque<Millis>>,
    pairs: BTreeMap<(String, String), Pair>,
}

impl Limits {
    /// Counts one send from `number` to `user`, or refuses it. A refused send is not counted.
    pub(crate) fn admit(&mut self, number: &str, user: &str, now: Millis) -> Result<(), Refusal> {
        let accepted = self.accepted.entry(number.to_owned()).or_default();
        while accepted.front().is_some_and(|at| now.saturating_sub(*at) >= 1000) {
            accepted.pop_front();
        }
        if self.switches.throughput && accepted.len() >= PER_SECOND {
            return Err(Refusal::Throughput);
        }
        if self.switches.pair_rate {
            self.admit_pair(number, user, now)?;
        }
        self.accepted.entry(number.to_owned()).or_default().push_back(now);
        Ok(())
    }

    fn admit_pair(&mut self, number: &str, user: &str, now: Millis) -> Result<(), Refusal> {
        let key = (number.to_owned(), user.to_owned());
        let pair = self.pairs.entry(key).or_insert(Pair { free_at: 0, burst_start: 0, burst: 0 });
        if now >= pair.free_at {
            pair.burst_start = now;
            pair.burst = 1;
            pair.free_at = now + PAIR_SPACING;
            return Ok(());
        }
        if now - pair.burst_start < PAIR_SPACING && pair.burst < PAIR_BURST {
            pair.burst += 1;
            pair.free_at += PAIR_SPACING;
            return Ok(());
        }
        Err(Refusal::PairRate)
    }
}
