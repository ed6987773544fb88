//! Clock of the emulator. Every timer, window and rate limit reads this clock and no other.
//!
//! A manual clock moves only through the control API, so that a test of a 24-hour window takes no
//! time. A real or scaled clock starts at the wall time and can be moved forward as well. No clock
//! goes back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Start of the manual clock, in Unix seconds.
pub const START_SECONDS: u64 = 1_790_000_000;

/// Source of the clock's movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// Starts at [`START_SECONDS`] and moves only when advanced.
    Manual,
    /// Wall time.
    Real,
    /// Starts at wall time and runs this many times faster; 0 counts as 1.
    Scaled(u32),
}

/// Time on the emulator's clock, in Unix milliseconds.
pub(crate) type Millis = u64;

/// Latest time. Far below the largest u64, so that adding a delay never wraps.
const END_OF_TIME: Millis = u64::MAX / 4;

pub(crate) struct Clock {
    mode: ClockMode,
    base: Millis,
    since: Instant,
}

impl Clock {
    pub(crate) fn new(mode: ClockMode) -> Self {
        let base = match mode {
            ClockMode::Manual => START_SECONDS * 1000,
            ClockMode::Real | ClockMode::Scaled(_) => wall_time(),
        };
        Self { mode, base, since: Instant::now() }
    }

    pub(crate) fn mode(&self) -> ClockMode {
        self.mode
    }

    pub(crate) fn is_manual(&self) -> bool {
        self.mode == ClockMode::Manual
    }

    pub(crate) fn now(&self) -> Millis {
        let elapsed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.mode {
            ClockMode::Manual => self.base,
            ClockMode::Real => self.base.saturating_add(elapsed),
            ClockMode::Scaled(times) => {
                let elapsed = elapsed.saturating_mul(u64::from(times.max(1)));
                self.base.saturating_add(elapsed)
            }
        }
    }

    /// Moves to `at`; a clock that is past it stays.
    pub(crate) fn forward_to(&mut self, at: Millis) {
        let at = at.min(END_OF_TIME);
        let now = self.now();
        if at > now {
            self.base = self.base.saturating_add(at - now);
        }
    }

    /// Changes the mode and keeps the current time.
    pub(crate) fn set_mode(&mut self, mode: ClockMode) {
        self.base = self.now();
        self.since = Instant::now();
        self.mode = mode;
    }

    /// Wall time until `at`; `None` on a manual clock.
    pub(crate) fn wait_for(&self, at: Millis) -> Option<Duration> {
        let left = at.saturating_sub(self.now());
        match self.mode {
            ClockMode::Manual => None,
            ClockMode::Real => Some(Duration::from_millis(left)),
            ClockMode::Scaled(times) => Some(Duration::from_millis(left.div_ceil(u64::from(times.max(1))))),
        }
    }
}

pub(crate) fn wall_time() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch
        .map_or(START_SECONDS * 1000, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(START_SECONDS * 1000))
}
