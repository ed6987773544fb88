//! API representation of a number's webhook. Its payload version is not part of the contract.

use crate::{
    ApiError,
    api::{Time, words},
    found::PathRow,
};
use domain::{
    hook::EndpointOrigin,
    ids::{ProjectId, WhatsappConfigId},
};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{
    Conn,
    hook_endpoints::{self, HookEndpointRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

words!(
    WebhookEventName = "whatsapp.message.received",
    "whatsapp.message.sent",
    "whatsapp.message.delivered",
    "whatsapp.message.read",
    "whatsapp.message.failed",
    "whatsapp.conversation.created",
    "whatsapp.conversation.ended",
    "whatsapp.conversation.inactive",
);

/// A URL that gets the events of a number.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappWebhook {
    id: Uuid,
    #[schema(format = "uri")]
    url: String,
    /// Stars and, of a long key, its last four characters.
    secret_key: String,
    #[schema(value_type = Vec<WebhookEventName>)]
    events: Vec<String>,
    #[schema(default = true)]
    active: bool,
    /// Names of the extra headers; stars stand for their values.
    headers: BTreeMap<String, String>,
    #[schema(default = false)]
    buffer_enabled: bool,
    #[schema(minimum = 1, maximum = 60, default = 5)]
    buffer_window_seconds: i64,
    #[schema(minimum = 1, maximum = 100, default = 50)]
    max_buffer_size: i64,
    #[schema(default = json!(["whatsapp.message.received"]))]
    buffer_events: Vec<String>,
    #[schema(minimum = 1, maximum = 1440, default = 60)]
    inactivity_minutes: i64,
    /// Attempts at a delivery, and the wait before the second one. Not configurable.
    retry_config: WebhookRetryConfig,
    created_at: Time,
    updated_at: Time,
}

/// Retries of a delivery.
#[derive(Serialize, ToSchema)]
struct WebhookRetryConfig {
    max_attempts: i64,
    backoff_seconds: i64,
}

impl WhatsappWebhook {
    pub(super) fn of(row: &HookEndpointRow) -> Self {
        let waits = domain::hook::RETRY_AFTER;
        Self {
            id: row.id.uuid(),
            url: row.url.clone(),
            secret_key: row.secret_hint.clone(),
            events: names(&row.events),
            active: row.active,
            headers: names(&row.header_names).into_iter().map(|name| (name, "****".into())).collect(),
            buffer_enabled: row.buffer_enabled,
            buffer_window_seconds: row.buffer_window_seconds,
            max_buffer_size: row.max_buffer_size,
            buffer_events: names(&row.buffer_events),
            inactivity_minutes: row.inactivity_minutes,
            retry_config: WebhookRetryConfig {
                max_attempts: waits.len() as i64 + 1,
                backoff_seconds: waits[0].micros() / 1_000_000,
            },
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A stored list of names.
pub(in crate::resources) fn names(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}

/// A webhook and its number, as a path names them.
pub(super) struct NumberWebhook(pub(super) HookEndpointRow);

/// The endpoint, if it was created for this number.
pub(super) fn of_number(row: HookEndpointRow, config: WhatsappConfigId) -> Option<HookEndpointRow> {
    Some(row).filter(|row| row.origin == EndpointOrigin::Number && row.whatsapp_config_id == Some(config))
}

impl PathRow for NumberWebhook {
    const NAME: &'static str = "WhatsApp webhook";

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [config, id] = path else { return Ok(None) };
        let (Ok(config), Ok(id)) = (config.parse(), id.parse()) else { return Ok(None) };
        let row = hook_endpoints::find(conn, project, id).await?;
        Ok(row.and_then(|row| of_number(row, config)).map(Self))
    }
}
