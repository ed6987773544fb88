//! `GET /whatsapp_contacts`

use super::view::WhatsappContact;
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
};
use domain::Id;
use serde::Deserialize;
use store::contacts::{self, Filter};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Exact customer.
    #[serde(rename = "q[customer_id_eq]")]
    customer_id: Option<Uuid>,
    /// Exact external id of the customer.
    #[serde(rename = "q[customer_external_customer_id_eq]")]
    external_customer_id: Option<String>,
    /// Only contacts without a customer; false: only those with one.
    #[serde(rename = "q[customer_id_null]")]
    customer_is_null: Option<bool>,
    /// Only contacts with a customer; false: only those without one.
    #[serde(rename = "q[customer_id_not_null]")]
    customer_is_not_null: Option<bool>,
    /// Name contains this text, ignoring case.
    #[serde(rename = "q[profile_name_cont]")]
    profile_name: Option<String>,
    /// Number contains these digits.
    #[serde(rename = "q[wa_id_cont]")]
    wa_id: Option<String>,
    /// Created at or after this time.
    #[serde(rename = "q[created_at_gteq]")]
    #[param(inline)]
    created_from: Option<Time>,
    /// Created at or before this time.
    #[serde(rename = "q[created_at_lteq]")]
    #[param(inline)]
    created_to: Option<Time>,
}

/// List the project's contacts
///
/// A contact is a person who has written to a number of the project, or whom it has written to.
#[utoipa::path(
    get, path = "/whatsapp_contacts", operation_id = "list_whatsapp_contacts", tag = "WhatsApp Contacts",
    params(List<Filters>),
    responses((status = 200, description = "One page of contacts.", body = Page<WhatsappContact>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<Filters>) -> Result<Page<WhatsappContact>, ApiError> {
    let ((limit, offset), sent) = (list.range(), &list.filter);
    let filter = Filter {
        customer: sent.customer_id.map(Id::from_uuid),
        external_customer_id: sent.external_customer_id.clone(),
        customer_is_null: sent.customer_is_null,
        customer_is_not_null: sent.customer_is_not_null,
        profile_name: sent.profile_name.clone(),
        wa_id: sent.wa_id.as_deref().map(digits),
        created_from: sent.created_from.map(|time| time.0),
        created_to: sent.created_to.map(Time::end),
    };
    let mut reader = ctx.store.read().await?;
    let (rows, total) = contacts::list(&mut reader.conn(), ctx.project, &filter, limit, offset).await?;
    let views = rows.iter().map(WhatsappContact::of).collect::<Result<_, _>>()?;
    Ok(list.page(views, total))
}

/// Keeps the digits, as numbers are stored; a text without digits matches nothing.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { text.to_owned() } else { digits }
}
