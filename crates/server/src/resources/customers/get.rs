//! `GET /customers/{customer_id}`

use super::view::Customer;
use crate::{ApiError, api::Data, found::Found};
use store::customers;

/// Read one customer
///
/// Its configs and contacts have lists of their own.
#[utoipa::path(
    get, path = "/customers/{customer_id}", operation_id = "get_customer", tag = "Customers",
    params(("customer_id", description = "Customer id.")),
    responses((status = 200, description = "The customer.", body = Data<Customer>))
)]
pub(super) async fn handle(Found(customer): Found<customers::CustomerRow>) -> Result<Data<Customer>, ApiError> {
    Ok(Data { data: Customer::of(&customer)? })
}
