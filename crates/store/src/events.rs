//! Events for live views and outgoing webhooks, written in the transaction of the change that they
//! report.

use crate::db::{Conn, Result, Scope, rows, run, statements, stored_words};
use domain::{Timestamp, event::Event, ids::ProjectId};
use uuid::Uuid;

stored_words!(Event);

rows! {
    /// One event.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct EventRow {
        pub project_id: ProjectId,
        pub id: Uuid,
        /// Time of the insertion, by the clock of the database. A transaction that takes long commits
        /// it later.
        pub recorded_at: Timestamp,
        /// Time of the change, by the clock of its node.
        pub at: Timestamp,
        /// A word of [`Event`], or one of a newer version.
        pub topic: String,
        pub object_id: Uuid,
        pub body: String,
    }
}

statements! {
    APPEND = ["INSERT INTO events (project_id, id, recorded_at, at, topic, object_id, body) VALUES ($1, $2, ", db_now, ", $3, $4, $5, $6)"];
    OF_OBJECT = ["SELECT ", EventRow, " FROM events WHERE project_id = $1 AND object_id = $2 ORDER BY at, id LIMIT 1000"];
    SINCE = ["SELECT ", EventRow, " FROM events WHERE project_id = $1 AND recorded_at >= $2 ORDER BY recorded_at, id LIMIT $3"];
}

/// Appends an event about an object. `body` is JSON.
pub async fn append(s: &mut Scope<'_, '_>, id: Uuid, event: Event, object: Uuid, body: &str) -> Result<()> {
    let (project, now) = (s.project, s.now);
    run!(s, APPEND, [project, id, now, event, object, body], execute).map(drop)
}

/// The events of an object, oldest first.
pub async fn of_object(conn: &mut Conn<'_>, project: ProjectId, object: Uuid) -> Result<Vec<EventRow>> {
    run!(conn, OF_OBJECT, [project, object], fetch_all as EventRow)
}

/// Events recorded at or after a time of the database's clock, oldest first.
pub async fn since(conn: &mut Conn<'_>, project: ProjectId, from: Timestamp, limit: i64) -> Result<Vec<EventRow>> {
    run!(conn, SINCE, [project, from, limit], fetch_all as EventRow)
}
