//! Points in time and durations, in whole microseconds, UTC.
//! Nothing here reads a clock: below the runtime's `Context`, time is an argument.

use serde::{Deserialize, Serialize};
use std::{fmt, ops};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A duration in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    pub const ZERO: Self = Self(0);

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }
    pub const fn from_mins(mins: i64) -> Self {
        Self::from_secs(mins * 60)
    }
    pub const fn from_hours(hours: i64) -> Self {
        Self::from_mins(hours * 60)
    }
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Rounded down.
    pub const fn millis(self) -> i64 {
        self.0 / 1_000
    }
    /// Rounded down.
    pub const fn secs(self) -> i64 {
        self.0 / 1_000_000
    }
}

impl ops::Mul<i64> for Span {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From whole seconds since the epoch, as Meta writes times.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// `2025-06-02T14:05:09.000Z`: ISO 8601, UTC, milliseconds, as the REST contract shows times.
    pub fn to_iso(self) -> String {
        jiff::Timestamp::from_microsecond(self.0).map_or_else(
            |_| String::from("0000-00-00T00:00:00.000Z"),
            |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        )
    }
    /// `Monday, 2 June 2025, 14:05 (UTC)`, for prompts. Minute resolution keeps prompt caches
    /// useful.
    pub fn to_words(self) -> String {
        jiff::Timestamp::from_microsecond(self.0)
            .map_or_else(|_| String::new(), |time| time.strftime("%A, %-d %B %Y, %H:%M (UTC)").to_string())
    }
    /// The same in a zone that is this many minutes ahead of UTC.
    pub fn to_words_in(self, zone: &str, minutes: i32) -> String {
        let time = Self(self.0.saturating_add(Span::from_mins(i64::from(minutes)).0));
        time.to_words().replace("(UTC)", &format!("({zone})"))
    }
    /// Reads an ISO 8601 time with an offset or `Z`.
    pub fn parse_iso(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_microsecond()))
    }
}

impl From<i64> for Timestamp {
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}
impl ops::Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}
impl ops::Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}
impl ops::Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let time = Timestamp::from_micros(1_748_873_109_123_000);
        assert_eq!(time.to_iso(), "2025-06-02T14:05:09.123Z");
        assert_eq!(Timestamp::parse_iso(&time.to_iso()), Some(time));
        assert_eq!(time.to_words(), "Monday, 2 June 2025, 14:05 (UTC)");
        assert_eq!(time.to_words_in("Asia/Kolkata", 330), "Monday, 2 June 2025, 19:35 (Asia/Kolkata)");
        assert_eq!(time.to_words_in("Etc/GMT+15", -15 * 60), "Sunday, 1 June 2025, 23:05 (Etc/GMT+15)");
    }
}
