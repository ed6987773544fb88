//! `GET /customers`

use super::view::Customer;
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
};
use serde::Deserialize;
use store::customers::{self, Filter};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Name contains this text, ignoring case.
    #[serde(rename = "q[name_cont]")]
    name: Option<String>,
    /// Exact external id.
    #[serde(rename = "q[external_customer_id_eq]")]
    external_customer_id: Option<String>,
    /// Created at or after this time.
    #[serde(rename = "q[created_at_gteq]")]
    #[param(inline)]
    created_from: Option<Time>,
    /// Created at or before this time.
    #[serde(rename = "q[created_at_lteq]")]
    #[param(inline)]
    created_to: Option<Time>,
}

/// List the project's customers
///
/// A customer is a business that the project works for. Its configs, contacts and conversations
/// belong to it.
#[utoipa::path(
    get, path = "/customers", operation_id = "list_customers", tag = "Customers", params(List<Filters>),
    responses((status = 200, description = "One page of customers.", body = Page<Customer>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<Filters>) -> Result<Page<Customer>, ApiError> {
    let (limit, offset) = list.range();
    let filter = Filter {
        name: list.filter.name.clone(),
        external_customer_id: list.filter.external_customer_id.clone(),
        created_from: list.filter.created_from.map(|time| time.0),
        created_to: list.filter.created_to.map(Time::end),
    };
    let mut reader = ctx.store.read().await?;
    let (rows, total) = customers::list(&mut reader.conn(), ctx.project, &filter, limit, offset).await?;
    let views = rows.iter().map(Customer::of).collect::<Result<_, _>>()?;
    Ok(list.page(views, total))
}
