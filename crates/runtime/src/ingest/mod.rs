//! Ingests Meta's webhooks: checks the signature over the raw bytes and stores a delivery in one
//! commit.
//!
//! Meta delivers at least once and in any order. So an insert that conflicts decides what is new,
//! and nothing is checked before a write (docs/spec/reliability.md 3).

mod address_book;
mod changes;
mod deletion;
mod delivery;
mod early;
mod echoes;
mod messages;
mod people;
mod sandbox;
mod sandbox_answers;
mod statuses;
mod templates;

pub(crate) use delivery::process_held;

use crate::{
    Context,
    context::PLATFORM_PROJECT,
    cpu, failpoint,
    suspects::{self, PARKED},
};
use bytes::Bytes;
use gateways::whatsapp::{
    signature::{self, SignatureError},
    webhook::{self, Malformed},
};
use sha2::{Digest as _, Sha256};
use std::time::Instant;
use store::{
    Error,
    suspects::{WorkId, WorkKind},
    transact, webhook_events,
};
use uuid::Uuid;

/// Bodies up to this size are checked and parsed at once, in less than a millisecond.
const SMALL: usize = 64 * 1024;

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
pub async fn receive(ctx: &Context, signature: Option<&str>, body: impl Into<Bytes>) -> Received {
    let began = Instant::now();
    let bytes = &body.into();
    let (secrets, header) = (ctx.clone(), signature.map(str::to_owned));
    let verify =
        move |bytes: &[u8]| signature::verify(&secrets.app_secrets, header.as_deref(), bytes).map(|()| body_id(bytes));
    let work = match computed(bytes, verify).await {
        Some(Ok(work)) => work,
        Some(Err(error)) => return refused(ctx, error),
        None => return counted(Received::Failed, "failed"),
    };
    failpoint::reach("ingest.verified");
    let deaths = ctx.in_flight.deaths(work);
    if deaths >= PARKED {
        tracing::error!("webhook parked: processing it ended the process three times; it is in webhook_events");
        return keep(ctx, bytes, "poison").await;
    }
    // A suspect is processed alone, so that only its own entry is left if the process dies.
    let suspect = deaths + 1 >= PARKED;
    let _exclusive = if suspect { Some(ctx.in_flight.exclusive().await) } else { None };
    let _others = if suspect { None } else { Some(ctx.webhooks.read().await) };
    let _alone = if suspect { Some(ctx.webhooks.write().await) } else { None };
    let _in_flight = ctx.in_flight.enter_as(work, suspect);
    failpoint::poison("webhook", || String::from_utf8_lossy(bytes));
    let Some(parsed) = computed(bytes, webhook::parse).await else { return counted(Received::Failed, "failed") };
    let delivery = match parsed {
        Ok(delivery) => delivery,
        Err(Malformed::TooManyValues) => {
            tracing::error!("webhook not processed: it has too many JSON values; it is in webhook_events");
            return keep(ctx, bytes, "oversized").await;
        }
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

/// Runs a computation over a body, a large one on the blocking pool.
async fn computed<T: Send + 'static>(bytes: &Bytes, work: impl FnOnce(&[u8]) -> T + Send + 'static) -> Option<T> {
    if bytes.len() <= SMALL {
        return Some(work(bytes));
    }
    let bytes = bytes.clone();
    cpu::WEBHOOKS.run(move || work(&bytes)).await
}

/// Identifies a webhook by its body.
fn body_id(bytes: &[u8]) -> WorkId {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(bytes)[..16]);
    WorkId { kind: WorkKind::Webhook, project: PLATFORM_PROJECT, subject: Uuid::from_bytes(id) }
}

/// Keeps a webhook raw, unparsed.
async fn keep(ctx: &Context, bytes: &[u8], reason: &'static str) -> Received {
    let now = ctx.now();
    let kept = transact!(ctx.store, "ingest.park", tx => {
        webhook_events::keep(tx, &Sha256::digest(bytes), bytes, reason, now).await
    });
    match kept {
        Ok(()) => counted(Received::Stored, if reason == "poison" { "parked" } else { reason }),
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
