//! Ingests Meta's webhooks: checks the signature over the raw bytes and stores a delivery in one
//! commit.
//!
//! Meta delivers at least once and in any order. So an insert that conflicts decides what is new,
//! and nothing is checked before a write (docs/spec/reliability.md 3).

mod delivery;
mod messages;
mod sandbox;
mod sandbox_answers;
mod statuses;
mod templates;

pub(crate) use delivery::process_held;

use crate::{
    Context,
    context::PLATFORM_PROJECT,
    failpoint,
    suspects::{self, PARKED},
};
use gateways::whatsapp::{
    signature::{self, SignatureError},
    webhook,
};
use sha2::{Digest as _, Sha256};
use std::time::Instant;
use store::{
    Error,
    suspects::{WorkId, WorkKind},
    transact, webhook_events,
};
use uuid::Uuid;

/// Result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// All of it, in one commit.
    Stored,
    Unsigned,
    WrongSignature,
    /// Signed, but not valid JSON of the expected shape.
    Malformed,
    /// Not stored; Meta repeats the delivery for days.
    Failed,
}

/// Stores a delivery, given its raw bytes and its signature header.
pub async fn receive(ctx: &Context, signature: Option<&str>, bytes: &[u8]) -> Received {
    let began = Instant::now();
    if let Err(error) = signature::verify(&ctx.app_secrets, signature, bytes) {
        return refused(ctx, error);
    }
    failpoint::reach("ingest.verified");
    let work = body_id(bytes);
    let deaths = ctx.in_flight.deaths(work);
    if deaths >= PARKED {
        return keep(ctx, bytes).await;
    }
    // A suspect is processed alone, so that only its own entry is left if the process dies.
    let _others = if deaths + 1 < PARKED { Some(ctx.webhooks.read().await) } else { None };
    let _alone = if deaths + 1 >= PARKED { Some(ctx.webhooks.write().await) } else { None };
    let _in_flight = ctx.in_flight.enter_as(work, deaths + 1 >= PARKED);
    failpoint::poison("webhook", || String::from_utf8_lossy(bytes));
    let delivery = match webhook::parse(bytes) {
        Ok(delivery) => delivery,
        Err(malformed) => {
            tracing::warn!(%malformed, "signed webhook cannot be parsed");
            return counted(Received::Malformed, "malformed");
        }
    };
    match delivery::store(ctx, &delivery, bytes).await {
        Ok(()) => {
            if let Err(error) = suspects::clear(ctx, work).await {
                tracing::warn!(%error, "cannot clear the suspicion on a webhook");
            }
            ctx.wake.notify_one();
            metrics::histogram!("chasqui_inbound_ack_seconds").record(began.elapsed().as_secs_f64());
            counted(Received::Stored, "stored")
        }
        Err(error) => not_stored(ctx, &error),
    }
}

/// Identifies a webhook by its body.
fn body_id(bytes: &[u8]) -> WorkId {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(bytes)[..16]);
    WorkId { kind: WorkKind::Webhook, project: PLATFORM_PROJECT, subject: Uuid::from_bytes(id) }
}

/// Keeps a webhook raw, unparsed: processing it ended the process repeatedly.
async fn keep(ctx: &Context, bytes: &[u8]) -> Received {
    let now = ctx.now();
    let kept = transact!(ctx.store, "ingest.park", tx => {
        webhook_events::keep(tx, &Sha256::digest(bytes), bytes, "poison", now).await
    });
    match kept {
        Ok(()) => {
            tracing::error!("webhook parked: processing it ended the process three times; it is in webhook_events");
            counted(Received::Stored, "parked")
        }
        Err(error) => not_stored(ctx, &error),
    }
}

/// Refuses a delivery without a well-formed signature, for which its body need not be read.
pub fn refuse_unsigned(ctx: &Context, signature: Option<&str>) -> Option<Received> {
    signature::parse(signature).err().map(|error| refused(ctx, error))
}

fn refused(ctx: &Context, error: SignatureError) -> Received {
    metrics::counter!("chasqui_webhook_signature_failures_total").increment(1);
    let (received, cause, why) = match error {
        SignatureError::Missing => (Received::Unsigned, "webhook_unsigned", "it has no valid signature header"),
        SignatureError::Wrong => (Received::WrongSignature, "webhook_wrong_signature", "no app secret signs it so"),
    };
    if let Some(left_out) = ctx.log_limit.admit(Uuid::nil(), cause, ctx.now()) {
        tracing::warn!(why, left_out, "webhook refused");
    }
    received
}

/// Logs a delivery that could not be stored; a full disk, which makes all of them fail, once a
/// minute.
fn not_stored(ctx: &Context, error: &Error) -> Received {
    if !matches!(error, Error::DiskFull(_)) {
        tracing::error!(%error, "webhook not stored");
    } else if let Some(left_out) = ctx.log_limit.admit(Uuid::nil(), "webhook_disk_full", ctx.now()) {
        tracing::error!(%error, left_out, "webhook not stored; Meta delivers it again");
    }
    counted(Received::Failed, "failed")
}

fn counted(received: Received, result: &'static str) -> Received {
    metrics::counter!("chasqui_inbound_accepted_total", "result" => result).increment(1);
    received
}
