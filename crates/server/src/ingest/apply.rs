//! Stores a whole delivery in one commit. A part that cannot take effect never blocks its siblings.

use super::{messages, statuses};
use crate::{Context, context::PLATFORM_PROJECT};
use domain::{Id, ids::ProjectId, ids::WhatsappConfigId};
use gateways::whatsapp::webhook::{Delivery, Item};
use sha2::{Digest as _, Sha256};
use store::{
    Result, Tx, transact,
    unscoped::{self, DirectoryKind},
    webhook_events,
};

/// Whose number it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    /// A project's own number.
    Project(ProjectId, WhatsappConfigId),
    /// The number that sandbox sessions share.
    Sandbox,
}

pub(super) async fn store(ctx: &Context, delivery: &Delivery, body: &[u8]) -> Result<()> {
    let settled = transact!(ctx.store, "ingest", tx => {
        let mut settled = Vec::new();
        let mut kept = (delivery.malformed > 0 || delivery.items.is_empty()).then_some("malformed");
        for item in &delivery.items {
            match item {
                Item::Message(message) => match owner(ctx, tx, &message.phone_number_id).await? {
                    Some(owner) => messages::store(ctx, tx, owner, message).await?,
                    None => kept = Some("unknown_number"),
                },
                Item::Status(status) => settled.extend(statuses::store(ctx, tx, status).await?),
                Item::Other { .. } => kept = Some("other_field"),
            }
        }
        if let Some(reason) = kept {
            webhook_events::keep(tx, &Sha256::digest(body), body, reason, ctx.now()).await?;
        }
        Ok(settled)
    })?;
    for held in settled {
        // A status that settled an unclear send lets its execution go on; that is not Meta's to wait for.
        let ctx = ctx.clone();
        tokio::spawn(async move {
            if let Err(error) = crate::workers::go_on(&ctx, Some(held)).await {
                tracing::warn!(%error, "a turn stopped; it stays due");
            }
        });
    }
    Ok(())
}

async fn owner(ctx: &Context, tx: &mut Tx<'_>, phone_number_id: &str) -> Result<Option<Owner>> {
    if ctx.sandbox.as_ref().is_some_and(|sandbox| sandbox.phone_number_id == phone_number_id) {
        return Ok(Some(Owner::Sandbox));
    }
    let pointer = unscoped::look_up(tx, DirectoryKind::Number, phone_number_id).await?;
    Ok(pointer.map(|pointer| Owner::Project(pointer.project_id, Id::from_uuid(pointer.object_id))))
}

/// The project that keeps what strangers say to the sandbox number.
pub(super) async fn platform(ctx: &Context, tx: &mut Tx<'_>) -> Result<ProjectId> {
    store::projects::insert(tx, PLATFORM_PROJECT, "sandbox", ctx.now()).await?;
    Ok(PLATFORM_PROJECT)
}
