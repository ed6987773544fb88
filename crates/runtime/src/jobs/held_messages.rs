//! Processes messages that came before their number was proved, oldest first.

use crate::{Context, ingest, number_proof};
use domain::ids::ProjectId;
use store::{
    Result, Tx,
    jobs::JobRow,
    unscoped::{self, DirectoryKind, Pointer},
    webhook_events, whatsapp_configs,
};

/// Webhooks processed in one transaction.
const AT_ONCE: i64 = 16;

/// Returns true if there may be more. A message is processed in the transaction that releases its
/// webhook, and once per message id, so a crash loses and repeats nothing.
pub(super) async fn run(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<bool> {
    let id = number_proof::config_of(&job.payload)?;
    let Some(config) = whatsapp_configs::find(tx, project, id).await? else { return Ok(false) };
    let number = &config.phone_number_id;
    let pointer = unscoped::look_up(tx, DirectoryKind::Number, number).await?;
    if pointer != Some(Pointer { project_id: project, object_id: id.uuid() }) {
        // Its owner processes them.
        return Ok(false);
    }
    let held = unscoped::held(tx, number, AT_ONCE).await?;
    for webhook in &held {
        let body = webhook_events::body(tx, webhook.day, &webhook.body_sha256).await?;
        if unscoped::release(tx, number, webhook).await?
            && let Some(body) = body
        {
            ingest::process_held(ctx, tx, project, id, number, &body).await?;
        }
    }
    Ok(i64::try_from(held.len()).is_ok_and(|count| count == AT_ONCE))
}
