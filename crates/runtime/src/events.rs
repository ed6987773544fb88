//! Writes events for live views, in the transaction of the change that they report.

use crate::Context;
use domain::{event::Event, ids::ProjectId};
use serde_json::Value;
use store::{Result, Tx};
use uuid::Uuid;

/// Appends an event about an object. Listeners receive `conversation_id` and `author` of the body.
pub async fn append(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    event: Event,
    object: Uuid,
    body: &Value,
) -> Result<()> {
    let (id, now) = (ctx.new_uuid(), ctx.now());
    store::events::append(&mut tx.scope(project, now), id, event, object, &body.to_string()).await
}
