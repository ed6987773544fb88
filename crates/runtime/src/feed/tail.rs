//! The one reader of a node: reads events in the order of the database's clock, and passes on those
//! that it has not seen.
//!
//! An event becomes visible when its transaction commits, after its time was set, and commits finish
//! in any order. So each read looks back a little, and a deep read from time to time looks back
//! further.

use super::Feed;
use domain::{Span, Timestamp};
use std::{collections::BTreeSet, time::Duration};
use store::{Result, Store, events::EventRow, unscoped};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longest wait for commits of other nodes and processes.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Shortest time between reads: one read serves all commits of this time.
const PAUSE: Duration = Duration::from_millis(100);
/// Wait after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);
/// Covers nearly all transactions, at little cost.
const LOOK_BACK: Span = Span::from_secs(1);
/// Time between deep reads.
const DEEP_INTERVAL: Span = Span::from_secs(10);
/// Covers a transaction that waits for a lock. With the interval, within a minute.
const DEEP_LOOK_BACK: Span = Span::from_secs(50);
/// Events of one statement.
const PAGE: i64 = 1_000;

/// Reads while there are listeners, until `stop` is cancelled. Called again after a panic, it ends
/// all listening, so that no listener misses events.
pub async fn run(store: Store, feed: Feed, stop: CancellationToken) {
    feed.close();
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = feed.0.listening.notified() => {}
            () = &mut stopped => return,
        }
        tokio::select! {
            () = follow(&store, &feed) => {}
            () = &mut stopped => return,
        }
    }
}

/// Reads until the last listener is gone.
async fn follow(store: &Store, feed: &Feed) {
    let mut tail = Tail::default();
    while feed.has_listeners() {
        match tail.read(store, feed).await {
            Ok(()) => {
                tokio::time::sleep(PAUSE).await;
                tokio::select! {
                    () = feed.0.committed.notified() => {}
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read events for the live feed");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

#[derive(Default)]
struct Tail {
    /// Database time of the latest complete read, and of the latest deep one; none before the first.
    reached: Option<(Timestamp, Timestamp)>,
    /// Events within reach of the next deep read.
    seen: BTreeSet<(Timestamp, Uuid)>,
}

impl Tail {
    /// Passes on new events. The first read passes on none: its listeners come after it. A read that
    /// fails is repeated by the next one.
    async fn read(&mut self, store: &Store, feed: &Feed) -> Result<()> {
        metrics::counter!("chasqui_feed_reads_total").increment(1);
        let mut reader = store.read().await?;
        let mut conn = reader.conn();
        let now = unscoped::database_time(&mut conn).await?;
        let (from, deep) = match self.reached {
            None => (now - DEEP_LOOK_BACK, now),
            Some((_, deep)) if now - deep >= DEEP_INTERVAL => (deep - DEEP_LOOK_BACK, now),
            // The database's clock may have been set back.
            Some((reached, deep)) => (reached.min(now) - LOOK_BACK, deep.min(now)),
        };
        let mut after = (from, Uuid::nil());
        loop {
            let page = unscoped::events_after(&mut conn, after, PAGE).await?;
            let is_last = i64::try_from(page.len()).is_ok_and(|len| len < PAGE);
            if let Some(last) = page.last() {
                after = (last.recorded_at, last.id);
            }
            for row in page {
                self.see(row, feed);
            }
            if is_last {
                break;
            }
        }
        self.seen = self.seen.split_off(&(deep - DEEP_LOOK_BACK, Uuid::nil()));
        self.reached = Some((now, deep));
        feed.0.reached.send_replace(Some(now));
        Ok(())
    }

    fn see(&mut self, row: EventRow, feed: &Feed) {
        if self.seen.insert((row.recorded_at, row.id))
            && let Some((reached, _)) = self.reached
        {
            feed.pass_on(row, reached);
        }
    }
}
