//! `GET /customers/{customer_id}/setup_links`

use super::view::SetupLink;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{customers::CustomerRow, setup_links};

/// List a customer's setup links
///
/// Newest first, used, expired and revoked ones included.
#[utoipa::path(
    get, path = "/customers/{customer_id}/setup_links", operation_id = "list_setup_links", tag = "Setup Links",
    params(("customer_id", description = "Customer id."), List),
    responses((status = 200, description = "One page of links.", body = Page<SetupLink>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(customer): Found<CustomerRow>,
    list: List,
) -> Result<Page<SetupLink>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let (rows, total) = setup_links::list(&mut reader.conn(), ctx.project, customer.id, list.range()).await?;
    Ok(list.page(rows.iter().map(|row| SetupLink::of(&ctx, row)).collect(), total))
}
