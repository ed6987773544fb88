//! Live feed: each node reads the committed events of all projects once, and passes each to the
//! listeners of its project (docs/decisions/0016-live-feed-tail.md).
//!
//! Events are hints: a listener reads the objects again. Each is delivered at least once.

mod resume;
mod retention;
mod tail;

pub use resume::{Cursor, FeedEvent, KEPT, MOST_BEHIND, Resumed, resume};
pub use retention::delete_some;
pub use tail::run;

use domain::{Timestamp, ids::ProjectId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::{Error, Result, events::EventRow};
use tokio::sync::{Notify, broadcast, watch};

/// A listener waits this long for the tail, which waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Passes events to the listeners of this node; clones share them.
#[derive(Clone, Default)]
pub struct Feed(Arc<Inner>);

struct Inner {
    channels: Mutex<HashMap<ProjectId, broadcast::Sender<Arc<FeedEvent>>>>,
    /// Notified when the first listener comes.
    listening: Notify,
    /// Notified by commits of this node.
    committed: Notify,
    /// Database time up to which all committed events were passed on; `None` while the tail does not
    /// run.
    reached: watch::Sender<Option<Timestamp>>,
}

impl Default for Inner {
    fn default() -> Self {
        let (channels, listening, committed) = Default::default();
        Self { channels, listening, committed, reached: watch::Sender::new(None) }
    }
}

impl Feed {
    /// Reads soon: this node has committed.
    pub fn note_commit(&self) {
        self.0.committed.notify_one();
    }

    /// Listens to a project. Events that are committed from now on will be received.
    pub async fn listen(&self, project: ProjectId) -> Result<Listener> {
        let events = {
            let mut channels = self.channels();
            channels.entry(project).or_insert_with(|| broadcast::Sender::new(MOST_BEHIND)).subscribe()
        };
        self.0.listening.notify_one();
        let mut reached = self.0.reached.subscribe();
        let running = tokio::time::timeout(PATIENCE, reached.wait_for(Option::is_some)).await.is_ok();
        if !running {
            return Err(Error::Retry("the live feed waits for the database".into()));
        }
        Ok(Listener { events, reached })
    }

    /// Ends all listening.
    fn close(&self) {
        self.channels().clear();
        self.0.reached.send_replace(None);
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<ProjectId, broadcast::Sender<Arc<FeedEvent>>>> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self, row: EventRow, reached: Timestamp) {
        let channels = self.channels();
        if let Some(channel) = channels.get(&row.project_id) {
            metrics::counter!("chasqui_feed_events_total").increment(1);
            // Without receivers, until the next clean-up.
            let _ = channel.send(Arc::new(FeedEvent::of(row, reached)));
        }
    }

    /// Forgets projects without listeners. False if none is left; then the tail does not run.
    fn has_listeners(&self) -> bool {
        let mut channels = self.channels();
        channels.retain(|_, channel| channel.receiver_count() > 0);
        let listeners: usize = channels.values().map(broadcast::Sender::receiver_count).sum();
        metrics::gauge!("chasqui_feed_listeners").set(u32::try_from(listeners).unwrap_or(u32::MAX));
        if channels.is_empty() {
            self.0.reached.send_replace(None);
        }
        !channels.is_empty()
    }
}

/// Receives the events of a project.
#[derive(Debug)]
pub struct Listener {
    events: broadcast::Receiver<Arc<FeedEvent>>,
    reached: watch::Receiver<Option<Timestamp>>,
}

/// Result of a listener's wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Event(Arc<FeedEvent>),
    /// The listener was too slow: events were dropped. Continues with the next one.
    Lost(Cursor),
    /// The tail failed: listen again.
    Closed,
}

impl Listener {
    /// Waits for the next event.
    pub async fn next(&mut self) -> Received {
        match self.events.recv().await {
            Ok(event) => Received::Event(event),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // Read before the events between are skipped, so that none is missed.
                let cursor = self.reached();
                self.events = self.events.resubscribe();
                Received::Lost(cursor)
            }
            Err(broadcast::error::RecvError::Closed) => Received::Closed,
        }
    }

    /// Continues after all events that were received, if none waits to be received.
    pub fn cursor(&self) -> Option<Cursor> {
        let reached = *self.reached.borrow();
        reached.filter(|_| self.events.is_empty()).map(Cursor::at)
    }

    fn reached(&self) -> Cursor {
        Cursor::at((*self.reached.borrow()).unwrap_or(Timestamp::from_micros(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{author::Author, ids::Id};
    use uuid::Uuid;

    fn row(project: ProjectId, number: u128, body: &str) -> EventRow {
        EventRow {
            project_id: project,
            id: Uuid::from_u128(number),
            recorded_at: Timestamp::from_secs(i64::try_from(number).unwrap()),
            at: Timestamp::from_secs(7),
            topic: "message.status".into(),
            object_id: Uuid::nil(),
            body: body.into(),
        }
    }

    /// A feed whose tail has read up to this second.
    fn reached(seconds: i64) -> Feed {
        let feed = Feed::default();
        feed.0.reached.send_replace(Some(Timestamp::from_secs(seconds)));
        feed
    }

    #[tokio::test]
    async fn slow_listener_is_reset_and_continues_with_later_events() {
        let (feed, project) = (reached(5), Id::from_uuid(Uuid::from_u128(1)));
        let mut listener = feed.listen(project).await.unwrap();
        let at = Timestamp::from_secs(5);
        for number in 0..u128::try_from(MOST_BEHIND).unwrap() + 30 {
            feed.pass_on(row(project, number, "{}"), at);
        }
        assert_eq!(listener.next().await, Received::Lost(Cursor::at(at)));
        feed.pass_on(row(project, 5_000, "{}"), at);
        let Received::Event(event) = listener.next().await else { panic!("an event") };
        assert_eq!((event.id, event.cursor), (Uuid::from_u128(5_000), Cursor::at(Timestamp::from_secs(5_000))));
    }

    #[tokio::test]
    async fn listener_receives_only_events_of_its_project() {
        let (feed, mine, other) = (reached(5), Id::from_uuid(Uuid::from_u128(1)), Id::from_uuid(Uuid::from_u128(2)));
        let mut listener = feed.listen(mine).await.unwrap();
        let at = Timestamp::from_secs(50);
        feed.pass_on(row(other, 1, "{}"), at);
        let body = r#"{"conversation_id": "0197a1b2-0000-7000-8000-000000000001", "author": {"type": "user", "id": "0197a1b2-0000-7000-8000-000000000002"}}"#;
        feed.pass_on(row(mine, 2, body), at);
        assert_eq!(listener.cursor(), None, "an event waits");
        let Received::Event(event) = listener.next().await else { panic!("an event") };
        assert_eq!((event.id, event.cursor), (Uuid::from_u128(2), Cursor::at(at)), "a late event does not move back");
        assert_eq!(
            event.conversation_id.map(|id| id.to_string()).as_deref(),
            Some("0197a1b2-0000-7000-8000-000000000001")
        );
        let author = Author::User("0197a1b2-0000-7000-8000-000000000002".parse().unwrap());
        assert_eq!(event.author, Some(author));
        assert_eq!(listener.cursor(), Some(Cursor::at(Timestamp::from_secs(5))));
    }

    #[tokio::test]
    async fn last_listener_ends_the_tail_and_a_failed_tail_ends_the_listeners() {
        let (feed, project) = (reached(5), Id::from_uuid(Uuid::from_u128(1)));
        let listener = feed.listen(project).await.unwrap();
        assert!(feed.has_listeners());
        drop(listener);
        assert!(!feed.has_listeners());
        assert_eq!(*feed.0.reached.borrow(), None);
        feed.0.reached.send_replace(Some(Timestamp::from_secs(9)));
        let mut listener = feed.listen(project).await.unwrap();
        feed.close();
        assert_eq!(listener.next().await, Received::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn listener_waits_five_seconds_for_the_database() {
        let feed = Feed::default();
        let refused = feed.listen(Id::from_uuid(Uuid::nil())).await;
        assert!(matches!(refused, Err(Error::Retry(_))));
    }
}
