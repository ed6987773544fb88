//! Versions of the Graph API and the days on which Meta ends them.
//!
//! Source: <https://developers.facebook.com/docs/graph-api/changelog/versions>, read 2026-11.

use std::{fmt, str::FromStr};

use domain::{Span, Timestamp};

/// Warnings begin this long before the end.
const NOTICE: Span = Span::from_hours(24 * 90);

/// Number of a version and its last day; `None` while Meta has not announced one. In rising order.
const VERSIONS: [(u32, Option<&str>); 7] = [
    (21, Some("2027-01-21")),
    (22, Some("2027-05-20")),
    (23, Some("2027-10-08")),
    (24, Some("2028-02-18")),
    (25, Some("2028-07-29")),
    (26, None),
    (27, None),
];

/// A version as it stands in URLs: `v25.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphVersion {
    major: u32,
    minor: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no version of the Graph API; write it like v25.0")]
pub struct BadVersion(String);

/// The version that this program is tested with.
impl Default for GraphVersion {
    fn default() -> Self {
        Self { major: 25, minor: 0 }
    }
}

impl FromStr for GraphVersion {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion(text.to_owned());
        // `parse` also takes a sign.
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        let (major, minor) = text.strip_prefix('v').and_then(|rest| rest.split_once('.')).ok_or_else(bad)?;
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for GraphVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// State of a version at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// No end is announced.
    Open,
    /// Not in the table: released after this program.
    Unknown,
    /// Ends on this day, in more than 90 days.
    Until(&'static str),
    /// Ends on this day, within 90 days.
    EndsSoon(&'static str),
    /// Ended; the day is `None` for versions older than the table.
    Ended(Option<&'static str>),
}

impl GraphVersion {
    pub fn support(&self, now: Timestamp) -> Support {
        let Some((_, end)) = VERSIONS.iter().find(|(major, _)| *major == self.major) else {
            return if self.major < VERSIONS[0].0 { Support::Ended(None) } else { Support::Unknown };
        };
        let Some(day) = end else { return Support::Open };
        let end = Timestamp::parse_iso(&format!("{day}T00:00:00Z")).unwrap_or(now);
        if now >= end {
            Support::Ended(Some(day))
        } else if now >= end - NOTICE {
            Support::EndsSoon(day)
        } else {
            Support::Until(day)
        }
    }
}

impl Support {
    /// The day of the end, if it is known.
    pub const fn ends(self) -> Option<&'static str> {
        match self {
            Self::Until(day) | Self::EndsSoon(day) | Self::Ended(Some(day)) => Some(day),
            Self::Open | Self::Unknown | Self::Ended(None) => None,
        }
    }

    /// True if the operator has to choose another version now.
    pub const fn needs_change(self) -> bool {
        matches!(self, Self::EndsSoon(_) | Self::Ended(_))
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("no end is announced"),
            Self::Unknown => f.write_str("newer than this program, which does not know its end"),
            Self::Until(day) => write!(f, "Meta ends it on {day}"),
            Self::EndsSoon(day) => write!(f, "Meta ends it on {day}, in less than 90 days"),
            Self::Ended(Some(day)) => write!(f, "Meta ended it on {day} and answers with its oldest version"),
            Self::Ended(None) => f.write_str("Meta ended it and answers with its oldest version"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        Timestamp::parse_iso(&format!("{day}T12:00:00Z")).unwrap()
    }

    fn support(version: &str, day: &str) -> Support {
        version.parse::<GraphVersion>().unwrap().support(at(day))
    }

    #[test]
    fn versions_are_read_as_they_stand_in_urls() {
        for good in ["v25.0", "v3.1", "v100.0"] {
            assert_eq!(good.parse::<GraphVersion>().unwrap().to_string(), good);
        }
        for bad in ["", "25.0", "v25", "v25.", "v.0", "v+25.0", "V25.0", "v25.0/me", "v25.0.1", "v99999999999.0"] {
            assert!(bad.parse::<GraphVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn warning_begins_90_days_before_the_end() {
        assert_eq!(support("v25.0", "2028-04-29"), Support::Until("2028-07-29"));
        assert_eq!(support("v25.0", "2028-04-30"), Support::EndsSoon("2028-07-29"));
        assert_eq!(support("v25.0", "2028-07-28"), Support::EndsSoon("2028-07-29"));
        assert_eq!(support("v25.0", "2028-07-29"), Support::Ended(Some("2028-07-29")));
        assert_eq!(support("v20.0", "2026-12-01"), Support::Ended(None));
        assert_eq!(support("v27.0", "2030-01-01"), Support::Open);
        assert_eq!(support("v31.0", "2030-01-01"), Support::Unknown);
    }

    #[test]
    fn every_end_is_a_day_and_ends_rise() {
        let ends: Vec<_> = VERSIONS.iter().filter_map(|(_, end)| *end).collect();
        assert!(ends.iter().all(|day| Timestamp::parse_iso(&format!("{day}T00:00:00Z")).is_some()));
        assert!(ends.is_sorted() && VERSIONS.is_sorted());
    }
}
