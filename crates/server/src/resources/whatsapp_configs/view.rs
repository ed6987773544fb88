//! API representation of a config, without its access token.

use crate::api::{Time, words};
use domain::ids::CustomerId;
use serde::Serialize;
use store::whatsapp_configs::WhatsappConfigRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A connected WhatsApp business number.
#[derive(Serialize, ToSchema)]
pub(in crate::resources) struct WhatsappConfig {
    id: Uuid,
    name: String,
    /// Name, followed by the number in brackets once known.
    display_name: String,
    /// Meta's id of the number.
    phone_number_id: String,
    /// Meta's id of the business account.
    business_account_id: String,
    /// Token that Meta sends in the webhook handshake.
    webhook_verify_token: String,
    webhook_destination_url: Option<String>,
    /// Customer of the number; null for the project's own.
    customer_id: Option<Uuid>,
    #[schema(value_type = WhatsappConfigKind)]
    kind: String,
    /// Display number from Meta; null until Meta has been asked.
    display_phone_number: Option<String>,
    /// Digits of the display number.
    display_phone_number_normalized: Option<String>,
    /// True if the WhatsApp Business app also uses the number. Always false: such numbers cannot be
    /// connected yet.
    is_coexistence: bool,
    /// Time of Meta's last handshake with this config's verify token.
    webhook_verified_at: Option<Time>,
    /// True lets agents answer inbound messages.
    inbound_processing_enabled: bool,
    calls_enabled: bool,
    created_at: Time,
    updated_at: Time,
}

words!(WhatsappConfigKind = "production", "sandbox");

impl WhatsappConfig {
    pub(in crate::resources) fn of(row: &WhatsappConfigRow) -> Self {
        let digits = |number: &String| number.chars().filter(char::is_ascii_digit).collect::<String>();
        let number = row.display_phone_number.as_ref().map(digits);
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            display_name: number.as_ref().map_or_else(|| row.name.clone(), |n| format!("{} (+{n})", row.name)),
            phone_number_id: row.phone_number_id.clone(),
            business_account_id: row.waba_id.clone(),
            webhook_verify_token: row.webhook_verify_token.clone(),
            webhook_destination_url: row.webhook_destination_url.clone(),
            customer_id: row.customer_id.map(CustomerId::uuid),
            kind: row.kind.to_string(),
            display_phone_number: row.display_phone_number.clone(),
            display_phone_number_normalized: number,
            is_coexistence: false,
            webhook_verified_at: row.webhook_verified_at.map(Time),
            inbound_processing_enabled: row.inbound_processing_enabled,
            calls_enabled: row.calls_enabled,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
