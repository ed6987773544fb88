//! The clock that everything but leases goes by.

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
    /// The system's.
    #[default]
    System,
    /// Microseconds, moved by [`Clock::forward`].
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.micros())))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)) + failpoint::clock_off_by()
            }
            Self::Manual(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Time passed since some moment of this process: for spans, which a correction of the system's clock must not change.
    pub fn monotonic(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => BEGAN.elapsed(),
            Self::Manual(micros) => Duration::from_micros(micros.load(Ordering::SeqCst).unsigned_abs()),
        }
    }

    /// Moves a manual clock; the system's goes by itself.
    pub fn forward(&self, span: Span) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(span.micros(), Ordering::SeqCst);
        }
    }
}
