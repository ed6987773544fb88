//! API representation of a delivery and its attempts.

use crate::api::{Time, words};
use domain::hook::DeliveryState;
use runtime::hook_delivery;
use serde::Serialize;
use store::hook_deliveries::{HookAttemptRow, HookDeliveryRow};
use utoipa::ToSchema;
use uuid::Uuid;

words!(WebhookDeliveryStatus = "open", "pending", "delivered", "failed");

/// An event, or a batch, for one endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDelivery {
    id: Uuid,
    webhook_endpoint_id: Uuid,
    /// `X-Idempotency-Key` and `webhook-id`, the same at each attempt.
    idempotency_key: String,
    /// Event name.
    event: String,
    conversation_id: Option<Uuid>,
    /// Events of a batch; null for a single event.
    batch_size: Option<i64>,
    /// `open`: a batch that is not sent yet. `failed`: all attempts failed.
    #[schema(value_type = WebhookDeliveryStatus)]
    status: String,
    attempts: i64,
    /// Null when it is over.
    next_attempt_at: Option<Time>,
    /// HTTP status of the latest attempt; null without an answer.
    last_response_status: Option<i64>,
    /// Why the latest attempt failed.
    last_error: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl WebhookDelivery {
    pub(in crate::resources) fn of(row: &HookDeliveryRow) -> Self {
        let is_over = matches!(row.state, DeliveryState::Delivered | DeliveryState::Failed);
        Self {
            id: row.id.uuid(),
            webhook_endpoint_id: row.endpoint_id.uuid(),
            idempotency_key: hook_delivery::stable_id(row),
            event: row.name.to_string(),
            conversation_id: row.conversation_id.map(|id| id.uuid()),
            batch_size: (row.batch > 0).then_some(row.batch),
            status: row.state.to_string(),
            attempts: row.attempt,
            next_attempt_at: (!is_over).then_some(row.next_at.into()),
            last_response_status: row.last_status,
            last_error: row.last_error.clone(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A delivery with its request and attempts.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookDeliveryDetail {
    #[serde(flatten)]
    pub(super) delivery: WebhookDelivery,
    /// Null if the endpoint was deleted.
    pub(super) request: Option<WebhookDeliveryRequest>,
    /// The first hundred, oldest first.
    pub(super) log: Vec<WebhookDeliveryAttempt>,
}

/// The HTTP request of a delivery.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookDeliveryRequest {
    pub(super) url: String,
    /// Names of the extra headers.
    pub(super) header_names: Vec<String>,
    /// At most 16 KiB of it.
    pub(super) body: String,
    /// True if the body is longer.
    pub(super) is_cut: bool,
}

/// One attempt at a delivery.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookDeliveryAttempt {
    attempt: i64,
    at: Time,
    duration_ms: i64,
    /// HTTP status; null without an answer.
    response_status: Option<i64>,
    /// At most 2 KiB of the answer.
    response_body: Option<String>,
    /// Null if it was delivered.
    error: Option<String>,
}

impl WebhookDeliveryAttempt {
    pub(super) fn of(row: HookAttemptRow) -> Self {
        Self {
            attempt: row.attempt,
            at: row.at.into(),
            duration_ms: row.duration_ms,
            response_status: row.status,
            response_body: row.answer,
            error: row.error,
        }
    }
}
