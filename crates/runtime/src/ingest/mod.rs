//! Takes Meta's webhooks: checks the signature over the raw bytes, stores everything in one commit, then answers 200.
//!
//! Nothing is processed here and nothing is lost: Meta delivers at least once and in any order, so "was it inserted?"
//! decides everything, and there is no check before a write (reliability.md §3).

mod apply;
mod messages;
mod sandbox;
mod statuses;
mod templates;

use crate::{Context, failpoint};
use gateways::whatsapp::{signature, webhook};
use std::time::Instant;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// All of it is stored.
    Stored,
    /// There is no signature.
    Unsigned,
    /// The signature is not one of ours.
    WrongSignature,
    /// It is signed and cannot be read.
    Malformed,
    /// The database did not take it; Meta comes back with the same bytes for days.
    Failed,
}

/// Takes a delivery's raw bytes with their signature header.
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
            tracing::warn!(%malformed, "signed webhook that cannot be read");
            return counted(Received::Malformed, "malformed");
        }
    };
    match apply::store(ctx, &delivery, bytes).await {
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
