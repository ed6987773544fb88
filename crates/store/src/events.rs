//! What happened, for live views and outgoing webhooks: written in the transaction of the change that it tells of.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::ProjectId};
use uuid::Uuid;

rows! {
    /// One event.
    #[derive(Debug, Clone)]
    pub struct EventRow {
        pub id: Uuid,
        pub at: Timestamp,
        /// e.g. `execution.status`.
        pub topic: String,
        /// What it is about.
        pub object_id: Uuid,
        pub body: String,
    }
}

statements! {
    APPEND = ["INSERT INTO events (project_id, id, at, topic, object_id, body) VALUES ($1, $2, $3, $4, $5, $6)"];
    OF_OBJECT = ["SELECT ", EventRow, " FROM events WHERE project_id = $1 AND object_id = $2 ORDER BY at, id LIMIT 1000"];
}

/// Appends an event.
pub async fn append(tx: &mut Tx<'_>, project: ProjectId, event: &EventRow) -> Result<()> {
    run!(tx, APPEND, [project, event.id, event.at, event.topic, event.object_id, event.body], execute).map(drop)
}

/// The events of one thing, oldest first.
pub async fn of_object(conn: &mut Conn<'_>, project: ProjectId, object: Uuid) -> Result<Vec<EventRow>> {
    run!(conn, OF_OBJECT, [project, object], fetch_all as EventRow)
}
