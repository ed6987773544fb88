//! `GET /whatsapp_templates`

use super::view::{TemplateCategory, TemplateStatus, WhatsappTemplate};
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use domain::Id;
use serde::Deserialize;
use store::whatsapp_templates::{self, Filter};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Only templates of this customer's configs.
    customer_id: Option<Uuid>,
    /// Alias in filter syntax.
    #[serde(rename = "q[customer_id_eq]")]
    customer_id_eq: Option<Uuid>,
    /// Name contains this text.
    #[serde(rename = "q[name_cont]")]
    name: Option<String>,
    /// Exact language code.
    #[serde(rename = "q[language_code_eq]")]
    language: Option<String>,
    /// Exact category.
    #[serde(rename = "q[category_eq]")]
    #[param(inline, value_type = Option<TemplateCategory>)]
    category: Option<String>,
    /// Exact status.
    #[serde(rename = "q[status_eq]")]
    #[param(inline, value_type = Option<TemplateStatus>)]
    status: Option<String>,
    /// Only templates of this business account.
    business_account_id: Option<String>,
    /// Alias in filter syntax.
    #[serde(rename = "q[business_account_id_eq]")]
    business_account_id_eq: Option<String>,
    /// Only templates usable from this config.
    whatsapp_config_id: Option<Uuid>,
    /// Alias in filter syntax.
    #[serde(rename = "q[whatsapp_config_id_eq]")]
    whatsapp_config_id_eq: Option<Uuid>,
}

/// List the project's templates
///
/// Removed templates are listed only if their status is requested.
#[utoipa::path(
    get, path = "/whatsapp_templates", operation_id = "list_whatsapp_templates", tag = "WhatsApp Templates",
    params(List<Filters>),
    responses((status = 200, description = "One page of templates.", body = Page<WhatsappTemplate>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<Filters>) -> Result<Page<WhatsappTemplate>, ApiError> {
    let ((limit, offset), sent) = (list.range(), &list.filter);
    let filter = Filter {
        customer: sent.customer_id.or(sent.customer_id_eq).map(Id::from_uuid),
        config: sent.whatsapp_config_id.or(sent.whatsapp_config_id_eq).map(Id::from_uuid),
        waba_id: sent.business_account_id.clone().or_else(|| sent.business_account_id_eq.clone()),
        name: sent.name.clone(),
        language: sent.language.clone(),
        category: sent.category.clone(),
        status: sent.status.clone(),
    };
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = whatsapp_templates::list(&mut conn, ctx.project, &filter, limit, offset).await?;
    Ok(list.page(WhatsappTemplate::all(&mut conn, ctx.project, &rows).await?, total))
}
