//! The pause of an agent after a person replied on the shop's phone.

use crate::{Span, Timestamp};
use serde::Deserialize;

/// Minutes of a pause, unless the agent sets its own.
pub const PAUSE_MINUTES: i64 = 60;
/// Most minutes of a pause: a week.
pub const MOST_MINUTES: i64 = 7 * 24 * 60;

/// An agent's policy for replies on the shop's phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneReplyPause {
    /// From the latest reply on.
    For(Span),
    /// Until a person resumes the agent.
    UntilResumed,
    /// The reply is shown to the agent, which goes on.
    Never,
}

impl PhoneReplyPause {
    /// Reads the limits of an agent as they are stored. Values that no version wrote count as absent.
    pub fn of_limits(stored: Option<&str>) -> Self {
        #[derive(Default, Deserialize)]
        struct Stored {
            phone_reply_pause: Option<String>,
            phone_reply_pause_minutes: Option<i64>,
        }
        let stored: Stored = stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match stored.phone_reply_pause.as_deref() {
            Some("never") => Self::Never,
            Some("until_resumed") => Self::UntilResumed,
            _ => {
                let minutes = stored.phone_reply_pause_minutes.unwrap_or(PAUSE_MINUTES);
                Self::For(Span::from_mins(minutes.clamp(1, MOST_MINUTES)))
            }
        }
    }

    /// End of a pause that begins now; none without a pause.
    pub fn until(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::For(span) => Some(now + span),
            Self::UntilResumed => Some(NEVER_ENDS),
            Self::Never => None,
        }
    }
}

/// The end of a pause that only a person ends.
pub const NEVER_ENDS: Timestamp = Timestamp::from_micros(i64::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_is_read_from_stored_limits() {
        let of = |text: &str| PhoneReplyPause::of_limits(Some(text));
        let minutes = |minutes| PhoneReplyPause::For(Span::from_mins(minutes));
        assert_eq!(PhoneReplyPause::of_limits(None), minutes(60));
        assert_eq!(of(r#"{"max_steps": 3}"#), minutes(60));
        assert_eq!(of(r#"{"phone_reply_pause": "minutes", "phone_reply_pause_minutes": 5}"#), minutes(5));
        assert_eq!(of(r#"{"phone_reply_pause_minutes": 99999999}"#), minutes(MOST_MINUTES));
        assert_eq!(of(r#"{"phone_reply_pause": "never"}"#), PhoneReplyPause::Never);
        assert_eq!(of(r#"{"phone_reply_pause": "until_resumed"}"#), PhoneReplyPause::UntilResumed);
        assert_eq!(of("broken"), minutes(60));
    }

    #[test]
    fn pause_ends_after_its_minutes_or_never() {
        let now = Timestamp::from_secs(100);
        assert_eq!(PhoneReplyPause::For(Span::from_mins(1)).until(now), Some(Timestamp::from_secs(160)));
        assert_eq!(PhoneReplyPause::UntilResumed.until(now), Some(NEVER_ENDS));
        assert_eq!(PhoneReplyPause::Never.until(now), None);
    }
}
