//! The clock for everything but leases, which use the database's.

use crate::failpoint;
use domain::{Span, Timestamp};
use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The system's clock, or one that a test moves by hand.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// The system's clock and microseconds that [`Clock::forward`] adds; for `dev`.
    Shifted(Arc<AtomicI64>),
    /// Microseconds, moved by [`Clock::forward`].
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Stands at `now` until it is moved.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.micros())))
    }

    /// The system's clock, which can be moved forward.
    pub fn shifted() -> Self {
        Self::Shifted(Arc::default())
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Shifted(micros) => system_now() + Span::from_micros(micros.load(Ordering::SeqCst)),
            Self::Manual(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Time since a fixed moment of this process: for durations, which a correction of the system's
    /// clock must not change.
    pub fn monotonic(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System | Self::Shifted(_) => BEGAN.elapsed(),
            Self::Manual(micros) => Duration::from_micros(micros.load(Ordering::SeqCst).unsigned_abs()),
        }
    }

    /// Time by which a shifted clock is ahead of the system's; `None` for other clocks.
    pub fn ahead(&self) -> Option<Span> {
        match self {
            Self::Shifted(micros) => Some(Span::from_micros(micros.load(Ordering::SeqCst))),
            Self::System | Self::Manual(_) => None,
        }
    }

    /// Moves a manual or shifted clock; no effect on the system's.
    pub fn forward(&self, span: Span) {
        if let Self::Manual(micros) | Self::Shifted(micros) = self {
            micros.fetch_add(span.micros(), Ordering::SeqCst);
        }
    }
}

fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)) + failpoint::clock_off_by()
}
