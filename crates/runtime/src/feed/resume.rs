//! Cursors, and the events after one.

use domain::{Span, Timestamp, author::Author, ids::ProjectId};
use serde_json::Value;
use std::{fmt, str::FromStr};
use store::{
    Result, Store,
    events::{self, EventRow},
    unscoped,
};
use uuid::Uuid;

/// Events are deleted at this age.
pub const KEPT: Span = Span::from_hours(24);
/// A listener that is this many events behind refetches instead.
pub const MOST_BEHIND: usize = 1_000;

/// A transaction may commit an event this long after it recorded it, so a reader looks back this
/// far. Events that it finds there may have been delivered before.
const LOOK_BACK: Span = Span::from_secs(10);
/// A cursor from further in the future is of another database.
const MOST_AHEAD: Span = Span::from_mins(1);

/// One event, as a listener receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The same each time the event is delivered.
    pub id: Uuid,
    pub topic: String,
    pub object_id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub author: Option<Author>,
    /// Time of the change.
    pub at: Timestamp,
    /// Continues after this event.
    pub cursor: Cursor,
}

impl FeedEvent {
    /// `reached`: all earlier events that were committed by then have been delivered.
    pub(super) fn of(row: EventRow, reached: Timestamp) -> Self {
        let mut body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let conversation_id = match body["conversation_id"].as_str() {
            Some(id) => id.parse().ok(),
            None => row.topic.starts_with("conversation.").then_some(row.object_id),
        };
        let author = body.get_mut("author").and_then(|author| serde_json::from_value(author.take()).ok());
        let cursor = Cursor::at(reached.max(row.recorded_at));
        Self { id: row.id, topic: row.topic, object_id: row.object_id, conversation_id, author, at: row.at, cursor }
    }
}

/// Place in the feed, the same on all nodes; opaque to clients. All events recorded up to this
/// database time were delivered, but for transactions that were open then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(Timestamp);

impl Cursor {
    pub(super) const fn at(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.micros())
    }
}

impl FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        i64::from_str_radix(text, 16).map(Timestamp::from_micros).map(Self)
    }
}

/// Events since a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// Continues before `events`.
    pub cursor: Cursor,
    /// Continues after `events`.
    pub now: Cursor,
    /// The events cannot be listed: the cursor is too old, too far behind, or unknown.
    pub reset: bool,
    /// Oldest first, with those of the last ten seconds before the cursor.
    pub events: Vec<FeedEvent>,
}

/// Loads what a client that was away has missed. Without a cursor, it starts now.
pub async fn resume(store: &Store, project: ProjectId, cursor: Option<&str>) -> Result<Resumed> {
    let mut reader = store.read().await?;
    let mut conn = reader.conn();
    let now = unscoped::database_time(&mut conn).await?;
    let from_now = |reset| Resumed { cursor: Cursor(now), now: Cursor(now), reset, events: Vec::new() };
    let Some(text) = cursor else { return Ok(from_now(false)) };
    let known = |cursor: &Cursor| cursor.0 >= now - KEPT && cursor.0 <= now + MOST_AHEAD;
    let Some(cursor) = text.parse().ok().filter(known) else { return Ok(from_now(true)) };
    let Cursor(after) = cursor;
    let limit = i64::try_from(2 * MOST_BEHIND + 1).unwrap_or(i64::MAX);
    let rows = events::since(&mut conn, project, after - LOOK_BACK, limit).await?;
    let behind = rows.iter().filter(|row| row.recorded_at > after).count();
    if behind > MOST_BEHIND || rows.len() > 2 * MOST_BEHIND {
        return Ok(from_now(true));
    }
    let events = rows.into_iter().map(|row| FeedEvent::of(row, after)).collect();
    Ok(Resumed { cursor, now: Cursor(now), reset: false, events })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_reads_back_what_it_shows() {
        let cursor = Cursor(Timestamp::from_secs(1_800_000_000));
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "x", "7", "-1", "ffffffffffffffffffff"] {
            assert!(text.parse::<Cursor>().is_err() || text.len() < 3, "{text}");
        }
    }
}
