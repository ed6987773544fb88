//! `GET /whatsapp_configs` and `GET /customers/{customer_id}/whatsapp_configs`

use super::view::WhatsappConfig;
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
    found::Found,
};
use domain::ids::CustomerId;
use serde::Deserialize;
use store::{
    customers,
    whatsapp_configs::{self, Filter},
};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Only configs of this business account.
    business_account_id: Option<String>,
    /// Alias in filter syntax.
    #[serde(rename = "q[business_account_id_eq]")]
    business_account_id_eq: Option<String>,
    /// Name contains this text, ignoring case.
    #[serde(rename = "q[name_cont]")]
    name: Option<String>,
    /// Created at or after this time.
    #[serde(rename = "q[created_at_gteq]")]
    #[param(inline)]
    created_from: Option<Time>,
    /// Created at or before this time.
    #[serde(rename = "q[created_at_lteq]")]
    #[param(inline)]
    created_to: Option<Time>,
}

/// List the project's configs
///
/// Configs of all customers. Access tokens are never returned.
#[utoipa::path(
    get, path = "/whatsapp_configs", operation_id = "list_whatsapp_configs", tag = "WhatsApp Configs", params(List<Filters>),
    responses((status = 200, description = "One page of configs.", body = Page<WhatsappConfig>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<Filters>) -> Result<Page<WhatsappConfig>, ApiError> {
    page(&ctx, &list, None).await
}

/// List a customer's configs
///
/// A config connects one WhatsApp number. Access tokens are never returned.
#[utoipa::path(
    get, path = "/customers/{customer_id}/whatsapp_configs", operation_id = "list_customer_whatsapp_configs",
    tag = "WhatsApp Configs", params(("customer_id", description = "Customer id."), List<Filters>),
    responses((status = 200, description = "One page of configs.", body = Page<WhatsappConfig>))
)]
pub(super) async fn of_customer(
    ctx: ProjectContext,
    Found(customer): Found<customers::CustomerRow>,
    list: List<Filters>,
) -> Result<Page<WhatsappConfig>, ApiError> {
    page(&ctx, &list, Some(customer.id)).await
}

async fn page(
    ctx: &ProjectContext,
    list: &List<Filters>,
    customer: Option<CustomerId>,
) -> Result<Page<WhatsappConfig>, ApiError> {
    let ((limit, offset), sent) = (list.range(), &list.filter);
    let filter = Filter {
        customer,
        waba_id: sent.business_account_id.clone().or_else(|| sent.business_account_id_eq.clone()),
        name: sent.name.clone(),
        created_from: sent.created_from.map(|time| time.0),
        created_to: sent.created_to.map(Time::end),
    };
    let mut reader = ctx.store.read().await?;
    let (rows, total) = whatsapp_configs::list(&mut reader.conn(), ctx.project, &filter, limit, offset).await?;
    Ok(list.page(rows.iter().map(WhatsappConfig::of).collect(), total))
}
