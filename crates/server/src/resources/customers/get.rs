//! `GET /customers/{customer_id}`

use super::view::Customer;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::customers;

/// Read one customer
#[utoipa::path(
    get, path = "/customers/{customer_id}", operation_id = "get_customer", tag = "Customers",
    params(("customer_id", description = "Customer id.")),
    responses((status = 200, description = "The customer.", body = Data<Customer>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(customer_id): Path<String>) -> Result<Data<Customer>, ApiError> {
    let id = path_id(&customer_id, "Customer")?;
    let mut reader = ctx.store.read().await?;
    let row = customers::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Customer"))?;
    Ok(Data { data: Customer::of(&row)? })
}
