//! Setup links: a customer connects a number on a hosted page, once.

use crate::{Span, Timestamp, words};

words! {
    pub enum SetupLinkStatus {
        Active = "active",
        /// A number was connected with it.
        Used = "used",
        Expired = "expired",
        Revoked = "revoked",
    }
}

/// Life of a new link, as the contract has it.
pub const LIFETIME: Span = Span::from_hours(30 * 24);
/// A link may be extended to this time from now.
pub const MAX_LIFETIME: Span = Span::from_hours(365 * 24);

/// Status of a link by the times of what happened to it. A used link stays used.
pub fn status(
    used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    expires_at: Timestamp,
    now: Timestamp,
) -> SetupLinkStatus {
    if used_at.is_some() {
        SetupLinkStatus::Used
    } else if revoked_at.is_some() {
        SetupLinkStatus::Revoked
    } else if expires_at <= now {
        SetupLinkStatus::Expired
    } else {
        SetupLinkStatus::Active
    }
}

/// True for a colour as `#rrggbb`.
pub fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hex_digits_are_a_colour() {
        assert!(is_colour("#22aAfF"));
        for other in ["", "#fff", "224466", "#2244666", "#22446g", "#224466\n", "red", "#224466;}*{color:red"] {
            assert!(!is_colour(other), "{other:?}");
        }
    }

    #[test]
    fn used_link_stays_used_and_expires_at_its_time() {
        let at = Timestamp::from_secs;
        assert_eq!(status(None, None, at(10), at(9)), SetupLinkStatus::Active);
        assert_eq!(status(None, None, at(10), at(10)), SetupLinkStatus::Expired);
        assert_eq!(status(None, Some(at(1)), at(10), at(20)), SetupLinkStatus::Revoked);
        assert_eq!(status(Some(at(1)), Some(at(2)), at(10), at(20)), SetupLinkStatus::Used);
    }
}
