//! One attempt: the body, its signatures, the request, and what the answer means.

use super::find::{Claimed, Receiver};
use crate::{Context, failpoint, suspects};
use bytes::Bytes;
use domain::{
    Timestamp,
    hook::{DeliveryState, PayloadVersion, retry_after},
    ids::ProjectId,
    redaction::Redaction,
};
use gateways::hooks::{HookRequest, hex_signature, standard_signature};
use serde_json::value::RawValue;
use store::{
    Error, Result,
    hook_deliveries::{HookAttemptRow, HookDeliveryRow, Settled},
    hook_events::{self, HookEventRow},
    suspects::WorkKind,
};

/// An attempt that is over.
#[derive(Debug)]
pub(crate) struct Done {
    pub claimed: Claimed,
    pub settled: Settled,
}

/// Posts a claimed delivery. Errors count as a failed attempt.
pub(crate) async fn attempt(ctx: &Context, claimed: Claimed) -> Done {
    let _in_flight = ctx.in_flight.enter(suspects::work(WorkKind::Hook, claimed.project, claimed.row.id));
    let (at, began) = (ctx.now(), ctx.clock.monotonic());
    let result = match &claimed.receiver {
        Some(receiver) => post(ctx, &claimed, receiver, at).await,
        None => Outcome::never("the endpoint was deleted, or its key cannot be read"),
    };
    let duration_ms = i64::try_from(ctx.clock.monotonic().saturating_sub(began).as_millis()).unwrap_or(i64::MAX);
    let now = ctx.now();
    let (state, next_at) = next(ctx, &claimed.row, &result, now);
    let word = if state == DeliveryState::Pending { "retried" } else { state.as_str() };
    metrics::counter!("chasqui_webhook_attempts_total", "result" => word).increment(1);
    let Outcome { status, error, answer, .. } = result;
    let attempt = HookAttemptRow { attempt: claimed.row.attempt, at, duration_ms, status, error, answer };
    Done { claimed, settled: Settled { state, next_at, attempt } }
}

/// The result of a request.
#[derive(Debug, Default)]
struct Outcome {
    status: Option<i64>,
    /// `None` if it was delivered.
    error: Option<String>,
    answer: Option<String>,
    /// Another attempt cannot succeed.
    is_final: bool,
}

impl Outcome {
    fn never(error: &str) -> Self {
        Self { error: Some(error.into()), is_final: true, ..Self::default() }
    }
}

fn next(ctx: &Context, row: &HookDeliveryRow, outcome: &Outcome, now: Timestamp) -> (DeliveryState, Timestamp) {
    if outcome.error.is_none() {
        return (DeliveryState::Delivered, now);
    }
    let mut random = [0];
    ctx.fill_random(&mut random);
    match retry_after(row.tries, random[0]).filter(|_| !outcome.is_final) {
        Some(wait) => (DeliveryState::Pending, now + wait),
        None => (DeliveryState::Failed, now),
    }
}

async fn post(ctx: &Context, claimed: &Claimed, receiver: &Receiver, now: Timestamp) -> Outcome {
    let body = match body(ctx, claimed.project, &claimed.row, receiver.row.payload_version).await {
        Ok(Some(body)) => body,
        Ok(None) => return Outcome::never("the event was deleted"),
        Err(error) => return Outcome { error: Some(format!("internal error: {error}")), ..Outcome::default() },
    };
    failpoint::poison("hook", || body.as_str());
    let headers = headers(&claimed.row, receiver, &body, now);
    let custom = receiver.credentials.headers.clone();
    let request = HookRequest { url: receiver.row.url.clone(), custom, headers, body: Bytes::from(body) };
    failpoint::reach("hook.ask");
    let answer = ctx.hook_clients.post(&ctx.egress, &request).await;
    failpoint::reach("hook.answered");
    match answer {
        Ok(answer) => {
            let error = (!(200..300).contains(&answer.status)).then(|| format!("answered with {}", answer.status));
            // A receiver may return what it was sent.
            let keys = &receiver.credentials;
            let secrets = keys.headers.iter().map(|(_, value)| value).chain([&keys.key]);
            let text = Redaction::of(secrets).text(answer.body);
            let (status, answer) = (Some(i64::from(answer.status)), Some(text));
            Outcome { status, error, answer, is_final: false }
        }
        Err(refusal) => Outcome { error: Some(refusal.message), ..Outcome::default() },
    }
}

/// The same bytes at every attempt. `None` if the event is not stored any more.
pub async fn body(
    ctx: &Context,
    project: ProjectId,
    row: &HookDeliveryRow,
    version: PayloadVersion,
) -> Result<Option<String>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let of_version = |event: HookEventRow| match version {
        PayloadVersion::V1 => event.v1.or(event.v2),
        PayloadVersion::V2 => event.v2.or(event.v1),
    };
    if row.batch == 0 {
        return Ok(hook_events::find(&mut conn, project, row.event_id).await?.and_then(of_version));
    }
    let events = hook_events::of_batch(&mut conn, project, row.id).await?;
    let damaged = |error: serde_json::Error| Error::Damaged { what: "webhook event", why: error.to_string() };
    let parts: Vec<Box<RawValue>> = events
        .into_iter()
        .filter_map(of_version)
        .map(|event| RawValue::from_string(event).map_err(damaged))
        .collect::<Result<_>>()?;
    if parts.is_empty() {
        return Ok(None);
    }
    let data = serde_json::to_string(&parts).map_err(damaged)?;
    Ok(Some(format!("{{\"type\":\"{}\",\"batch\":true,\"data\":{data}}}", row.name)))
}

/// The id that the receiver drops duplicates by: that of the event, or of the batch.
pub fn stable_id(row: &HookDeliveryRow) -> String {
    if row.batch == 0 { row.event_id.to_string() } else { row.id.to_string() }
}

fn headers(row: &HookDeliveryRow, receiver: &Receiver, body: &str, now: Timestamp) -> Vec<(&'static str, String)> {
    let (id, bytes, keys) = (stable_id(row), body.as_bytes(), &receiver.credentials);
    let mut headers = vec![
        ("x-webhook-event", row.name.to_string()),
        ("x-webhook-signature", hex_signature(&keys.key, bytes)),
        ("x-idempotency-key", id.clone()),
        ("x-webhook-payload-version", receiver.row.payload_version.to_string()),
        ("webhook-timestamp", now.secs().to_string()),
        ("webhook-signature", standard_signature(keys.keys(now), &id, now.secs(), bytes)),
        ("webhook-id", id),
    ];
    if row.batch > 0 {
        headers.push(("x-webhook-batch", "true".into()));
    }
    headers
}
