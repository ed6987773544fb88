//! Settles attempts, together in one commit: the delivery, its log, and the state of the endpoint.

use super::attempt::Done;
use crate::{Context, events, hooks, suspects};
use domain::{
    Timestamp,
    event::Event,
    hook::{DeliveryState, PAUSED_AFTER},
    ids::{HookDeliveryId, HookEndpointId, ProjectId},
};
use serde_json::json;
use store::{Error, Result, Tx, hook_deliveries, hook_endpoints, suspects::WorkKind, transact};

/// Settles attempts. One that another worker has reclaimed changes nothing.
pub(crate) async fn settle(ctx: &Context, all: &[Done]) -> Result<()> {
    let paused = transact!(ctx.store, "hook.settle", tx => {
        let (now, mut paused) = (ctx.now(), 0);
        for done in all {
            paused += i64::from(settle_one(ctx, tx, done, now).await?);
        }
        Ok(paused)
    })?;
    if paused > 0 {
        metrics::counter!("chasqui_webhook_endpoints_paused_total").increment(paused.unsigned_abs());
    }
    for done in all {
        suspects::clear(ctx, suspects::work(WorkKind::Hook, done.claimed.project, done.claimed.row.id)).await?;
    }
    Ok(())
}

/// True if it paused the endpoint.
async fn settle_one(ctx: &Context, tx: &mut Tx<'_>, done: &Done, now: Timestamp) -> Result<bool> {
    let Done { claimed, settled } = done;
    let (project, endpoint) = (claimed.project, claimed.row.endpoint_id);
    match hook_deliveries::settle(&mut tx.scope(project, now), &claimed.row, settled).await {
        Err(Error::StaleEpoch) => {
            metrics::counter!("chasqui_stale_epoch_writes_total").increment(1);
            return Ok(false);
        }
        other => other?,
    }
    let Some(receiver) = &claimed.receiver else { return Ok(false) };
    if settled.state == DeliveryState::Delivered {
        if receiver.row.failing_since.is_some() {
            hook_endpoints::works(tx, project, endpoint).await?;
        }
        return Ok(false);
    }
    hook_endpoints::failing(tx, project, endpoint, now).await?;
    pause_if_dead(ctx, tx, project, endpoint, now).await
}

/// Pauses an endpoint that has failed for three days, with an event.
async fn pause_if_dead(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: HookEndpointId,
    now: Timestamp,
) -> Result<bool> {
    let Some(row) = hook_endpoints::find(tx, project, id).await? else { return Ok(false) };
    let is_dead = row.failing_since.is_some_and(|since| since + PAUSED_AFTER <= now);
    if !is_dead || !hook_endpoints::pause(tx, project, id, now).await? {
        return Ok(false);
    }
    tracing::warn!(%project, endpoint = %id, "webhook endpoint paused: it has failed for three days");
    let body = json!({"whatsapp_config_id": row.whatsapp_config_id, "failing_since": row.failing_since.map(Timestamp::to_iso)});
    events::append(ctx, tx, project, Event::WebhookPaused, id.uuid(), &body).await?;
    hooks::endpoint_paused(ctx, tx, project, &row, now).await?;
    Ok(true)
}

/// Fails a delivery that ended the process repeatedly.
pub(crate) async fn park(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: HookDeliveryId,
    why: &str,
) -> Result<()> {
    hook_deliveries::give_up(&mut tx.scope(project, ctx.now()), id, why).await
}
