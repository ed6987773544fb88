//! API representation of a setup link.

use super::link;
use crate::{
    ApiError,
    api::{Time, words},
    auth::ProjectContext,
    change::Changed,
    found::PathRow,
};
use domain::ids::ProjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    Conn,
    setup_links::{self, SetupLinkRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

words!(SetupLinkStatus = "active", "used", "expired", "revoked");
words!(
    /// `dedicated`: a number of the Cloud API. `coexistence`: a number that the WhatsApp Business app
    /// uses, too; it cannot be connected yet.
    SetupConnectionType = "coexistence",
    "dedicated"
);
words!(ProvisionedPhoneNumberStatus = "active", "released");

/// A link with which a customer connects a number.
#[derive(Serialize, ToSchema)]
pub(super) struct SetupLink {
    id: Uuid,
    #[schema(value_type = SetupLinkStatus)]
    status: &'static str,
    expires_at: Time,
    /// Page on which the customer connects a number. The URL is the only permission it needs.
    #[schema(format = "uri")]
    url: String,
    #[schema(format = "uri")]
    success_redirect_url: Option<String>,
    #[schema(format = "uri")]
    failure_redirect_url: Option<String>,
    #[schema(value_type = Vec<SetupConnectionType>)]
    allowed_connection_types: Value,
    /// Always false: numbers are not provisioned here.
    provision_phone_number: bool,
    /// As sent; without effect.
    phone_number_area_code: Option<String>,
    /// As sent; without effect.
    #[schema(value_type = Vec<String>)]
    phone_number_country_isos: Value,
    /// Always null.
    #[schema(value_type = Option<ProvisionedPhoneNumber>)]
    provisioned_phone_number: Value,
    theme_config: Option<ThemeConfig>,
    created_at: Time,
}

/// A number that was bought for the customer. The contract has it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "numbers are not provisioned here")]
struct ProvisionedPhoneNumber {
    id: Uuid,
    phone_number: String,
    area_code: String,
    #[schema(value_type = ProvisionedPhoneNumberStatus)]
    status: String,
}

/// Colours of the page as `#rrggbb`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(in crate::resources) struct ThemeConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) primary_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) primary_foreground_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) background_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) text_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) muted_text_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) card_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) muted_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) border_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) secondary_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) secondary_foreground_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) destructive_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^#[0-9A-Fa-f]{6}$", nullable = false)]
    pub(in crate::resources) destructive_foreground_color: Option<String>,
}

impl ThemeConfig {
    /// A stored theme; the default one for a link without.
    pub(in crate::resources) fn of(stored: Option<&str>) -> Option<Self> {
        stored.and_then(|stored| serde_json::from_str(stored).ok())
    }
}

impl SetupLink {
    pub(super) fn of(ctx: &ProjectContext, row: &SetupLinkRow) -> Self {
        let list = |stored: &str| serde_json::from_str(stored).unwrap_or_default();
        Self {
            id: row.id.uuid(),
            status: row.status(ctx.now()).as_str(),
            expires_at: row.expires_at.into(),
            url: ctx.url() + &link::path(ctx, ctx.project, row.id),
            success_redirect_url: row.success_redirect_url.clone(),
            failure_redirect_url: row.failure_redirect_url.clone(),
            allowed_connection_types: list(&row.allowed_connection_types),
            provision_phone_number: false,
            phone_number_area_code: row.phone_number_area_code.clone(),
            phone_number_country_isos: list(&row.phone_number_country_isos),
            provisioned_phone_number: Value::Null,
            theme_config: ThemeConfig::of(row.theme_config.as_deref()),
            created_at: row.created_at.into(),
        }
    }
}

/// Adds the URL to the stored answer of an earlier request, which is stored without it.
pub(super) fn with_url<A>(ctx: &ProjectContext, done: Changed<A>) -> Result<Changed<A>, ApiError> {
    let Changed::Before(mut stored) = done else { return Ok(done) };
    let unread = |_| ApiError::Internal("a stored setup link is no JSON".into());
    let mut body: Value = serde_json::from_str(&stored.body).map_err(unread)?;
    if let Some(id) = body["data"]["id"].as_str().and_then(|id| id.parse().ok()) {
        body["data"]["url"] = Value::String(ctx.url() + &link::path(ctx, ctx.project, id));
    }
    stored.body = body.to_string();
    Ok(Changed::Before(stored))
}

impl PathRow for SetupLinkRow {
    const NAME: &'static str = "Setup link";

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [customer, id] = path else { return Ok(None) };
        let (Ok(customer), Ok(id)) = (customer.parse(), id.parse()) else { return Ok(None) };
        let row = setup_links::find(conn, project, id).await?;
        Ok(row.filter(|row| row.customer_id == customer))
    }
}
