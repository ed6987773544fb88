//! Events that outgoing webhooks report, with their payloads as they were at the time of the event.

use crate::db::{Conn, Result, Scope, Tx, rows, run, statements};
use domain::{
    hook::HookEvent,
    ids::{HookDeliveryId, HookEventId, ProjectId},
};

rows! {
    #[derive(Debug, Clone)]
    pub struct HookEventRow {
        pub id: HookEventId,
        /// JSON; none if no endpoint asked for the version.
        pub v1: Option<String>,
        pub v2: Option<String>,
    }
}

statements! {
    INSERT = ["INSERT INTO hook_events (project_id, id, name, v1, v2, at) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (project_id, id) DO NOTHING"];
    REPLACE = ["UPDATE hook_events SET v1 = $3, v2 = $4 WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", HookEventRow, " FROM hook_events WHERE project_id = $1 AND id = $2"];
    OF_BATCH = ["SELECT id, v1, v2 FROM hook_events e WHERE project_id = $1 \
                 AND id IN (SELECT event_id FROM hook_batches b WHERE b.project_id = $1 AND b.delivery_id = $2) \
                 ORDER BY (SELECT place FROM hook_batches b WHERE b.project_id = $1 AND b.delivery_id = $2 AND b.event_id = e.id)"];
    ADD_TO_BATCH = ["INSERT INTO hook_batches (project_id, delivery_id, place, event_id) VALUES ($1, $2, $3, $4)"];
}

/// `false` if the event exists: it was reported before.
pub async fn insert(s: &mut Scope<'_, '_>, name: HookEvent, e: &HookEventRow) -> Result<bool> {
    let (project, now) = (s.project, s.now);
    Ok(run!(s, INSERT, [project, e.id, name, e.v1, e.v2, now], execute)? == 1)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: HookEventId) -> Result<Option<HookEventRow>> {
    run!(conn, FIND, [project, id], fetch_optional as HookEventRow)
}

/// Replaces the payloads of an event: the contact deleted what they held.
pub async fn replace(tx: &mut Tx<'_>, project: ProjectId, e: &HookEventRow) -> Result<()> {
    run!(tx, REPLACE, [project, e.id, e.v1, e.v2], execute).map(drop)
}

/// The events of a batch, in their order.
pub async fn of_batch(conn: &mut Conn<'_>, project: ProjectId, delivery: HookDeliveryId) -> Result<Vec<HookEventRow>> {
    run!(conn, OF_BATCH, [project, delivery], fetch_all as HookEventRow)
}

pub async fn add_to_batch(
    tx: &mut Tx<'_>,
    project: ProjectId,
    delivery: HookDeliveryId,
    place: i64,
    event: HookEventId,
) -> Result<()> {
    run!(tx, ADD_TO_BATCH, [project, delivery, place, event], execute).map(drop)
}
