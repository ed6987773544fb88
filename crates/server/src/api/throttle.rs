//! Limits failed sign-ins, counted by each node in windows of 15 minutes.
//!
//! Guesses from unknown browsers are counted by account and by network. A browser in which the
//! person has signed in before has a count of its own, so that strangers who guess cannot lock the
//! person out (OWASP, "Slow down online guessing attacks with device cookies").

use super::rate::network_of;
use domain::{Span, Timestamp, ids::UserId};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

const WINDOW: Span = Span::from_mins(15);
/// Failed attempts of an account from unknown browsers, and from a known one.
const PER_ACCOUNT: u32 = 10;
/// Failed attempts of an address, or a /64 network of IPv6, in unknown browsers.
const PER_NETWORK: u32 = 30;
/// Counts that are kept; beyond it all unknown browsers wait for the next window.
const MOST: usize = 200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Account([u8; 32]),
    Device(UserId),
    Network(IpAddr),
}

/// Failed sign-ins of a node.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<(i64, HashMap<Subject, u32>)>);

/// A counted attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    subjects: Vec<(Subject, u32)>,
    window: i64,
}

impl Attempt {
    /// An attempt in an unknown browser.
    pub(crate) fn unknown(account: &str, address: Option<IpAddr>, now: Timestamp) -> Self {
        let mut subjects = vec![(Subject::Account(Sha256::digest(account.as_bytes()).into()), PER_ACCOUNT)];
        subjects.extend(address.map(|address| (Subject::Network(network_of(address)), PER_NETWORK)));
        Self::of(subjects, now)
    }

    /// An attempt in a browser in which this person has signed in before.
    pub(crate) fn known(user: UserId, now: Timestamp) -> Self {
        Self::of(vec![(Subject::Device(user), PER_ACCOUNT)], now)
    }

    fn of(subjects: Vec<(Subject, u32)>, now: Timestamp) -> Self {
        Self { subjects, window: now.micros().div_euclid(WINDOW.micros()) }
    }
}

impl Throttle {
    /// Counts an attempt as failed. False if a limit is reached; then it is not counted.
    pub(crate) fn begin(&self, attempt: &Attempt) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != attempt.window {
            *state = (attempt.window, HashMap::new());
        }
        let counts = &mut state.1;
        let full = |(subject, limit): &(Subject, u32)| counts.get(subject).is_some_and(|count| count >= limit);
        if attempt.subjects.iter().any(full) || (attempt.subjects.len() > 1 && counts.len() >= MOST) {
            return false;
        }
        for (subject, _) in &attempt.subjects {
            *counts.entry(*subject).or_default() += 1;
        }
        true
    }

    /// Takes back an attempt that succeeded.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 == attempt.window {
            for (subject, _) in &attempt.subjects {
                if let Some(count) = state.1.get_mut(subject) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;
    use uuid::Uuid;

    #[test]
    fn guesses_from_many_networks_do_not_lock_a_known_browser_out() {
        let throttle = Throttle::default();
        let now = Timestamp::from_secs(1_800_000_000);
        let at = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        let passed = (0..=200).filter(|n| throttle.begin(&Attempt::unknown("ana@x", at(*n), now))).count();
        assert_eq!(passed, 10);
        assert!(throttle.begin(&Attempt::unknown("eva@x", at(1), now)), "another account is not affected");
        let known = Attempt::known(Id::from_uuid(Uuid::from_u128(1)), now);
        assert!((0..10).all(|_| throttle.begin(&known)) && !throttle.begin(&known));
        assert!(throttle.begin(&Attempt::unknown("ana@x", at(1), now + WINDOW)));
    }

    #[test]
    fn one_network_is_limited_over_all_accounts_and_success_is_not_counted() {
        let throttle = Throttle::default();
        let now = Timestamp::from_secs(1_800_000_000);
        let guess = |n: u32| Attempt::unknown(&format!("{n}@x"), Some(IpAddr::from([192, 0, 2, 1])), now);
        for _ in 0..100 {
            assert!(throttle.begin(&guess(1)));
            throttle.succeeded(&guess(1));
        }
        assert_eq!((0..100).filter(|n| throttle.begin(&guess(*n))).count(), 30);
    }
}
