//! `GET /whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks`

use super::view::WhatsappWebhook;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use domain::hook::EndpointOrigin;
use serde::Deserialize;
use store::{hook_endpoints, whatsapp_configs::WhatsappConfigRow};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// URL contains this text.
    #[serde(rename = "q[url_cont]")]
    url: Option<String>,
    /// Exact active flag.
    #[serde(rename = "q[active_eq]")]
    active: Option<bool>,
}

/// List a config's webhooks
///
/// Without its `webhook_destination_url`.
#[utoipa::path(
    get, path = "/whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks", operation_id = "list_whatsapp_webhooks",
    tag = "WhatsApp Webhooks", params(("whatsapp_config_id" = uuid::Uuid, description = "Config id."), List<Filters>),
    responses((status = 200, description = "One page of webhooks.", body = Page<WhatsappWebhook>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(config): Found<WhatsappConfigRow>,
    list: List<Filters>,
) -> Result<Page<WhatsappWebhook>, ApiError> {
    let mut rows = {
        let mut reader = ctx.store.read().await?;
        hook_endpoints::of_scope(&mut reader.conn(), ctx.project, config.id.uuid()).await?
    };
    // A number has few endpoints.
    let Filters { url, active } = &list.filter;
    rows.retain(|row| {
        row.origin == EndpointOrigin::Number
            && url.as_ref().is_none_or(|part| row.url.contains(part.as_str()))
            && active.is_none_or(|active| row.active == active)
    });
    rows.reverse();
    let (limit, offset) = list.range();
    let total = rows.len() as i64;
    let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = rows.iter().skip(size(offset)).take(size(limit)).map(WhatsappWebhook::of);
    Ok(list.page(page.collect(), total))
}
