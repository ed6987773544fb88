//! What happened, for live views and outgoing webhooks: written in the transaction of the change that it tells of.

use crate::{Conn, Result, Tx, db::row::rows, db::sql::{run, statements}};
use domain::{Timestamp, ids::ProjectId};
use uuid::Uuid;

rows! {
    /// One event.
    #[derive(Debug, Clone)]
    pub struct EventRow {
        /// Its id.
        pub id: Uuid,
        /// When.
        pub at: Timestamp,
        /// e.g. `execution.status`.
        pub topic: String,
        /// What it is about.
        pub object_id: Uuid,
        /// JSON.
        pub body: String,
    }
}

statements! {
    APPEND = ["INSERT INTO events (project_id, id, at, topic, object_id, body) VALUES ($1, $2, $3, $4, $5, $6)"];
    OF_OBJECT = ["SELECT id, at, topic, object_id, body FROM events WHERE project_id = $1 AND object_id = $2 ORDER BY at, id LIMIT 1000"];
}

/// Appends an event.
pub async fn append(tx: &mut Tx<'_>, project: ProjectId, event: &EventRow) -> Result<()> {
    let (topic, body) = (&event.topic, &event.body);
    run!(tx, APPEND, [project.uuid(), event.id, event.at.micros(), topic, event.object_id, body], execute).map(drop)
}

/// The events of one thing, oldest first.
pub async fn of_object(conn: &mut Conn<'_>, project: ProjectId, object: Uuid) -> Result<Vec<EventRow>> {
    run!(conn, OF_OBJECT, [project.uuid(), object], fetch_all as EventRow)
}
