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

use crate::{Context, failpoint};
use gateways::whatsapp::{signature, webhook};
use std::time::Instant;

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
        metrics::counter!("webhook_signature_failures_total").increment(1);
        return match error {
            signature::SignatureError::Missing => Received::Unsigned,
            signature::SignatureError::Wrong => Received::WrongSignature,
        };
    }
    failpoint::reach("ingest.verified");
    let delivery = match webhook::parse(bytes) {
        Ok(delivery) => delivery,
        Err(malformed) => {
            tracing::warn!(%malformed, "signed webhook cannot be parsed");
            return counted(Received::Malformed, "malformed");
        }
    };
    match delivery::store(ctx, &delivery, bytes).await {
        Ok(()) => {
            ctx.wake.notify_one();
            metrics::histogram!("inbound_ack_seconds").record(began.elapsed().as_secs_f64());
            counted(Received::Stored, "stored")
        }
        Err(error) => {
            tracing::error!(%error, "webhook not stored");
            counted(Received::Failed, "failed")
        }
    }
}

fn counted(received: Received, result: &'static str) -> Received {
    metrics::counter!("inbound_accepted_total", "result" => result).increment(1);
    received
}
