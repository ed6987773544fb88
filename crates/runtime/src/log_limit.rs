//! Limits repeated log lines to one a minute for each subject and cause.

use domain::{Span, Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

const EVERY: Span = Span::from_secs(60);
/// Subjects and causes that are remembered. Beyond it the lines of all others share one window.
const MAX_WINDOWS: usize = 10_000;

/// Shared by the handlers and workers of a node.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<HashMap<(Uuid, &'static str), Window>>);

#[derive(Debug)]
struct Window {
    began: Timestamp,
    left_out: u64,
}

impl LogLimit {
    /// The number of lines left out since the last one if a line may be logged now, else `None`.
    /// Subject: the project, or nil for the server itself.
    pub fn admit(&self, subject: Uuid, cause: &'static str, now: Timestamp) -> Option<u64> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (subject, cause);
        if windows.len() >= MAX_WINDOWS && !windows.contains_key(&key) {
            windows.retain(|_, window| is_open(window, now));
            if windows.len() >= MAX_WINDOWS {
                key = (Uuid::max(), "others");
            }
        }
        match windows.get_mut(&key) {
            Some(window) if is_open(window, now) => {
                window.left_out += 1;
                None
            }
            _ => {
                let last = windows.insert(key, Window { began: now, left_out: 0 });
                Some(last.map_or(0, |window| window.left_out))
            }
        }
    }
}

/// A clock that was set back closes the window.
fn is_open(window: &Window, now: Timestamp) -> bool {
    (window.began..window.began + EVERY).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_tells_how_many_were_left_out() {
        let (limit, start) = (LogLimit::default(), Timestamp::from_micros(5_000_000));
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(limit.admit(one, "a", start), Some(0));
        for _ in 0..3 {
            assert_eq!(limit.admit(one, "a", start + Span::from_secs(59)), None);
        }
        assert_eq!(limit.admit(one, "b", start), Some(0), "another cause");
        assert_eq!(limit.admit(other, "a", start), Some(0), "another project");
        assert_eq!(limit.admit(one, "a", start + EVERY), Some(3));
    }

    #[test]
    fn memory_is_bounded_and_old_windows_make_room() {
        let (limit, start) = (LogLimit::default(), Timestamp::from_micros(5_000_000));
        for n in 0..u128::try_from(MAX_WINDOWS).unwrap() + 50 {
            limit.admit(Uuid::from_u128(n), "a", start);
        }
        assert_eq!(limit.0.lock().unwrap().len(), MAX_WINDOWS + 1);
        assert_eq!(limit.admit(Uuid::from_u128(1 << 80), "a", start + EVERY), Some(0));
        assert_eq!(limit.0.lock().unwrap().len(), 1);
    }
}
