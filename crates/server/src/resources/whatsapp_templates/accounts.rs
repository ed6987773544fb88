//! Selects configs and business accounts: of a config, a customer, or the project.

use crate::{ApiError, api::RequestBody};
use domain::{Id, conversation::ConfigKind, ids::ProjectId};
use serde::Deserialize;
use store::{
    Conn, customers,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// Selection of configs; the whole project if both are absent.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
pub(super) struct TemplateConfigSelector {
    pub whatsapp_config_id: Option<Uuid>,
    /// Production configs of this customer.
    pub customer_id: Option<Uuid>,
}

impl RequestBody for TemplateConfigSelector {}

/// Selected production configs, oldest first. `absent` maps a missing config or customer to an
/// error.
pub(super) async fn selected(
    conn: &mut Conn<'_>,
    project: ProjectId,
    selector: TemplateConfigSelector,
    absent: fn(&'static str) -> ApiError,
) -> Result<Vec<WhatsappConfigRow>, ApiError> {
    let customer = selector.customer_id.map(Id::from_uuid);
    if let Some(customer) = customer {
        customers::find(conn, project, customer).await?.ok_or_else(|| absent("Customer"))?;
    }
    let Some(id) = selector.whatsapp_config_id else {
        return Ok(whatsapp_configs::production(conn, project, customer, None).await?);
    };
    let config = whatsapp_configs::find(conn, project, Id::from_uuid(id)).await?;
    let config = config.ok_or_else(|| absent("WhatsApp config"))?;
    let fits =
        config.kind == ConfigKind::Production && customer.is_none_or(|customer| config.customer_id == Some(customer));
    Ok(if fits { vec![config] } else { Vec::new() })
}

/// Error for absent ids in a body: an invalid value.
pub(super) fn unknown(what: &'static str) -> ApiError {
    match what {
        "Customer" => ApiError::invalid("/customer_id", "unknown_customer", "no such customer"),
        _ => ApiError::invalid("/whatsapp_config_id", "unknown_config", "no such WhatsApp config"),
    }
}

/// Error: no config can call WhatsApp.
pub(super) fn no_number() -> ApiError {
    ApiError::refused("no_production_config", "No production WhatsApp config with an access token can be used for this")
}
