//! API representation of any webhook endpoint.

use crate::{
    api::{Time, words},
    resources::whatsapp_webhooks::names,
};
use serde::Serialize;
use std::collections::BTreeMap;
use store::hook_endpoints::HookEndpointRow;
use utoipa::ToSchema;
use uuid::Uuid;

words!(
    WebhookEndpointEventName = "whatsapp.message.received",
    "whatsapp.message.sent",
    "whatsapp.message.delivered",
    "whatsapp.message.read",
    "whatsapp.message.failed",
    "whatsapp.conversation.created",
    "whatsapp.conversation.ended",
    "whatsapp.conversation.inactive",
    "execution.started",
    "execution.ended",
    "execution.failed",
    "execution.handoff",
    "whatsapp.template.status",
    "whatsapp.number.health",
    "test_run.finished",
    "webhook.paused",
);
words!(WebhookEndpointOrigin = "number", "project", "destination");

/// A URL that gets events of the project, or of one number.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookEndpoint {
    id: Uuid,
    /// `destination`: the `webhook_destination_url` of a config.
    #[schema(value_type = WebhookEndpointOrigin)]
    origin: String,
    /// Null for an endpoint of the whole project.
    whatsapp_config_id: Option<Uuid>,
    #[schema(format = "uri")]
    url: String,
    /// Stars and, of a long key, its last four characters.
    secret_key: String,
    #[schema(value_type = Vec<WebhookEndpointEventName>)]
    events: Vec<String>,
    active: bool,
    /// Names of the extra headers; stars stand for their values.
    headers: BTreeMap<String, String>,
    #[schema(value_type = super::fields::WebhookPayloadVersion)]
    payload_version: String,
    /// True keeps the order of each conversation: an event waits until the one before is delivered
    /// or has failed for good.
    ordered: bool,
    buffer_enabled: bool,
    buffer_window_seconds: i64,
    max_buffer_size: i64,
    buffer_events: Vec<String>,
    inactivity_minutes: i64,
    /// Time of the first failed attempt since the last success.
    failing_since: Option<Time>,
    /// Set after three days of failures: events wait until the endpoint is resumed.
    paused_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl WebhookEndpoint {
    pub(super) fn of(row: &HookEndpointRow) -> Self {
        Self {
            id: row.id.uuid(),
            origin: row.origin.to_string(),
            whatsapp_config_id: row.whatsapp_config_id.map(|id| id.uuid()),
            url: row.url.clone(),
            secret_key: if row.secret_id.is_some() { row.secret_hint.clone() } else { "****".into() },
            events: names(&row.events),
            active: row.active,
            headers: names(&row.header_names).into_iter().map(|name| (name, "****".into())).collect(),
            payload_version: row.payload_version.to_string(),
            ordered: row.ordered,
            buffer_enabled: row.buffer_enabled,
            buffer_window_seconds: row.buffer_window_seconds,
            max_buffer_size: row.max_buffer_size,
            buffer_events: names(&row.buffer_events),
            inactivity_minutes: row.inactivity_minutes,
            failing_since: row.failing_since.map(Time),
            paused_at: row.paused_at.map(Time),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
